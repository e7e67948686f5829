#include <algorithm>
#include <cctype>
#include <filesystem>

#include "host/error.hpp"
#include "host/files/file_kind.hpp"
#include "tools/exarch/eval.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/simulation_files.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::cli {
namespace {

bool has_suffix(std::string path, std::initializer_list<std::string_view> suffixes) {
  std::ranges::transform(path, path.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::any_of(suffixes, [&path](std::string_view suffix) { return path.ends_with(suffix); });
}

// Results go into a file of their own, as text.
void check_out(const Arguments& arguments) {
  const std::string &in = arguments.text("in"), &out = arguments.text("out");
  std::error_code none;
  if (std::filesystem::is_regular_file(out, none) && is_same_file(in, out)) {
    throw UsageError("--out " + out + " is the input; choose another file");
  }
  if (has_suffix(out, {".gz", ".zst"}))
    throw UsageError("--out " + out + ": results are not compressed; leave out the last ending");
}

int eval_verb(const Arguments& arguments) {
  const Environment& environment = find_environment(arguments.positional[0]);
  if (has_model_files(arguments)) return eval_model_files(environment, arguments);
  if (arguments.has("define")) throw UsageError("--define is for templates among the files of --arch, --problem or --files");
  if (arguments.has("in") && has_simulation_files(arguments)) {
    throw UsageError("--simulation and --mcconfig are for one design, without --in");
  }
  if (wants_timeline(arguments)) return eval_timeline(environment, arguments);
  if (arguments.has("in") && arguments.has("out")) check_out(arguments);
  if (arguments.has("in") && has_suffix(arguments.text("in"), {".m"})) return eval_reference_file(environment, arguments);
  if (arguments.has("in") && has_suffix(arguments.text("in"), {".jsonl", ".jsonl.gz", ".jsonl.zst"}))
    return eval_problems(environment, arguments);
  if (arguments.has("in") && arguments.has("reference-input"))
    throw UsageError("--reference-input is for one design, without --in");
  if (arguments.has("in")) return eval_csv(environment, arguments);
  if (arguments.has("out")) throw UsageError("--out needs --in FILE; for one design use --json or the table on standard output");
  return eval_one(environment, arguments);
}

}  // namespace

const Verb kEvalVerb{
    .name = "eval",
    .synopsis =
        "ENVIRONMENT (WORKLOAD [--set Name=value ...] | --in FILE [--out FILE] | --arch FILE ... --mapping FILE) [--json]",
    .doc = "Evaluates one design, or every row of a CSV file.",
    .options =
        std::vector<OptionSpec>{
            {"set", "Name=value", "sets a parameter; repeatable", "", true},
            {"in", "FILE",
             "CSV of designs: columns are parameters and workload options; - = standard input. For dram also rows of any memory, "
             "as "
             "DRAMSys runs are recorded (docs/formats.md). Or recorded "
             "problems (.jsonl, .jsonl.gz), for maestro: layer, directives and hw of each line; for timeloop: problem, arch and "
             "mapping; or, for maestro, layers with mappings (.m), hardware from --set"},
            {"out", "FILE",
             "CSV of results: the input's columns, status, metrics, counters; of problems: id, status, out per line; default: "
             "standard output"},
            {"reference-input", "FILE|DIR",
             "writes the design as the reference simulator's own input: a file (maestro: .m, timeloop-mapping: .yaml), or a new "
             "folder (dram)"}} +
        timeline_options() + model_file_options() + evaluation_options() + simulation_options(),
    .takes_workloads = true,
    .simulates = true,
    .json = "an object per design at full precision, with counters; with --in one per line",
    .min_positional = 1,
    .max_positional = 1,
    .examples =
        "  exarch eval dram --trace cloud-1 --set PagePolicy=Open --set Scheduler=FrFcfs\n"
        "  exarch eval dram --in designs.csv --out results.csv\n"
        "  exarch eval dram --simulation ddr3-example.json --mcconfig fr_fcfs.json --reference-input files\n"
        "  printf 'trace,PagePolicy\\nstream,Closed\\n' | exarch eval dram --in -\n"
        "  exarch eval dram --trace cloud-1 --set PagePolicy=Closed --explain --latencies requests.csv --commands commands.csv\n"
        "  exarch eval dram --trace cloud-1 --set PagePolicy=Closed --against PagePolicy=OpenAdaptive\n"
        "  exarch eval dram --trace cloud-1 --picture commands.html --window 5000-9000\n"
        "  exarch eval maestro --model resnet18 --layer 2 --set K_outer=32 --reference-input mapping.m\n"
        "  exarch eval maestro --in rows.jsonl.gz --out results.jsonl --model-version head\n"
        "  exarch eval timeloop --in records.jsonl.gz --out results.jsonl --fill-rule 2022\n"
        "  exarch eval timeloop --arch arch.yaml --problem problem.yaml --mapping mapping.yaml --ert ERT.yaml --art ART.yaml\n",
    .run = eval_verb};

}  // namespace exarch::cli
