// Fuzz targets: every reader of what users write, behind one function each. Two programs are made of them: fuzz (libFuzzer,
// preset `fuzz`) makes up inputs, fuzz_replay (every build) goes through those of tests/fuzz/corpus.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/exarch/options.hpp"

namespace exarch::fuzz {

// A reader under test. `run` hands it an input and checks what it makes of it. An exarch::Error that leaves it is an answer; any
// other exception, a crash, a leak and an input that takes seconds are findings.
struct Target {
  std::string name;  // of the folder with its inputs, too
  void (*run)(std::string_view input);
};

[[nodiscard]] std::vector<Target> trace_targets();
[[nodiscard]] std::vector<Target> dram_targets();
[[nodiscard]] std::vector<Target> maestro_targets();
[[nodiscard]] std::vector<Target> timeloop_targets();
[[nodiscard]] std::vector<Target> text_targets();
[[nodiscard]] std::vector<Target> store_targets();

// All of them; find_target() throws std::invalid_argument for a name that none has.
[[nodiscard]] const std::vector<Target>& targets();
[[nodiscard]] const Target& find_target(std::string_view name);

// Runs an input. An Error is checked too: a message is short and has nothing that a terminal would obey.
void run(const Target& target, std::string_view input);

// True in libFuzzer's program, which makes up inputs by the million: a target may leave a part of its checks to chance.
inline bool fuzzing = false;

// Ends the program, which makes the input a finding, unless `condition`.
void require(bool condition, std::string_view what);

// A folder of this process, in $TMPDIR; removed when the program ends.
[[nodiscard]] std::filesystem::path scratch(const std::string& name);
// A file in it with this text.
std::filesystem::path write_scratch(const std::string& name, std::string_view text);
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

// What the command line does; `words` follow the verb's name. What it prints is dropped.
int run_verb(const cli::Verb& verb, std::vector<std::string> words);

// Loads a DRAM workload, and runs a few designs on it by both engines, which must agree.
void simulate_dram(const std::string& trace, const std::string& memspec = "", const std::string& mapping = "");

}  // namespace exarch::fuzz
