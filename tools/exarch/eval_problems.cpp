#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "host/files/file_kind.hpp"
#include "host/files/line_reader.hpp"
#include "host/files/text.hpp"
#include "host/run/inputs.hpp"
#include "tools/exarch/csv.hpp"
#include "tools/exarch/eval.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/show.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

// The answer to a line that is not even read.
ProblemAnswer too_long() {
  const std::string fault = "the line is longer than " + std::to_string(kLongestLine) + " bytes";
  return {Json{{"id", nullptr}, {"status", "invalid"}, {"error", fault}}.dump(), fault};
}

}  // namespace

// Recorded problems, a JSON object per line: answered in order, in blocks, by all threads. A line that is no problem is answered
// too, and the exit code tells.
int eval_problems(const Environment& environment, const Arguments& arguments) {
  if (!environment.description().takes_problems) {
    throw UsageError(environment.name() + " takes no recorded problems (.jsonl); --in expects a CSV file of designs");
  }
  for (const char* option : {"set", "no-share", "reference-input"}) {
    if (arguments.has(option)) throw UsageError(std::string("--") + option + " has no effect on recorded problems; leave it out");
  }
  if (arguments.text("engine") != "fast") throw UsageError("recorded problems are evaluated by the fast engine only");
  const WorkloadOptions options = given_options(environment, arguments);
  const std::shared_ptr<Executor> executor = make_executor(arguments);
  const std::string& in = arguments.text("in");
  LineReader lines(in, R"({"id": 1, "layer": {...}, "directives": [...], "hw": {...}})", LongLines::cut);
  OutputFile out(arguments.has("out") ? arguments.text("out") : "-");
  Progress progress("problems", 0);
  constexpr std::size_t kBlock = 4096, kBlockBytes = std::size_t{64} << 20;
  struct Line {
    std::string text;
    std::uint64_t number;
    bool cut;
    ProblemAnswer answer{};
  };
  constexpr std::uint64_t kFaultsShown = 10;
  std::vector<Line> block;
  std::size_t bytes = 0;
  std::uint64_t done = 0, faults = 0;
  const auto answer_block = [&] {
    executor->pool().for_each(block.size(), [&](std::size_t i, unsigned) {
      block[i].answer = block[i].cut ? too_long() : environment.answer_problem(block[i].text, options);
    });
    // Where no line is a problem, the file may be of another kind: said before the first answer is written.
    const bool no_problems = std::ranges::none_of(block, [](const Line& line) { return line.answer.fault.empty(); });
    if (done == 0 && no_problems) {
      const std::string foreign =
          foreign_file(in, {FileKind::problems, FileKind::json, FileKind::gzip}, "a file of recorded problems");
      if (!foreign.empty()) throw Error(foreign);
    }
    for (const Line& line : block) {
      out.write(line.answer.text + "\n");
      if (line.answer.fault.empty() || ++faults > kFaultsShown) continue;
      say(lines.path() + ":" + std::to_string(line.number) + ": " + line.answer.fault);
    }
    done += block.size();
    bytes = 0;
    block.clear();
    progress.update(done);
  };
  for (std::string_view text; lines.next(text);) {
    if (text.find_first_not_of(" \t") == std::string_view::npos) continue;
    block.push_back({lines.is_cut() ? "" : std::string(text), lines.line_number(), lines.is_cut()});
    bytes += block.back().text.size();
    if (block.size() == kBlock || bytes > kBlockBytes) answer_block();
  }
  answer_block();
  if (done == 0) throw Error(lines.path() + ": no problems; a problem is a JSON object on a line of its own");
  out.close();
  if (faults == 0) return 0;
  say(with_commas(faults) + " of " + with_commas(done) +
      " lines are no problems; their answers have status \"invalid\" and say why");
  return 1;
}

// Problems in a file of the reference's own format; hardware and the like from --set.
int eval_reference_file(const Environment& environment, const Arguments& arguments) {
  if (arguments.text("engine") != "fast" || arguments.has("no-share") || arguments.has("reference-input")) {
    throw UsageError("--engine, --no-share and --reference-input have no effect on " + arguments.text("in") + "; leave them out");
  }
  const Design design = parse_design(environment, arguments.all("set"));
  const FileAnswers file = environment.answer_file(arguments.text("in"), design, given_options(environment, arguments));
  if (file.answers.empty()) throw UsageError(environment.name() + " reads no such files; --in expects a CSV file of designs");
  OutputFile out(arguments.has("out") ? arguments.text("out") : "-");
  for (const std::string& answer : file.answers) out.write(answer + "\n");
  out.close();
  for (const std::string& note : file.notes) say(note);
  return file.failed ? 1 : 0;
}

}  // namespace exarch::cli
