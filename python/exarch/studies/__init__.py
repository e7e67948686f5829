"""Studies in Python, beside the plans that `exarch.Study` runs.

    python -m exarch.studies.proxy        # random forests against the exact space
"""
