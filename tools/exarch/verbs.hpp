// The verbs of the program, one file each.
#pragma once

#include "tools/exarch/options.hpp"

namespace exarch::cli {

extern const Verb kEnvsVerb, kSpaceVerb, kEvalVerb, kSweepVerb, kSearchVerb, kStudyVerb, kBestVerb, kRankVerb, kReportVerb,
    kExportVerb, kTraceVerb, kMapVerb, kListVerb, kBenchVerb, kDoctorVerb;

}  // namespace exarch::cli
