#include "tests/fuzz/target.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

#include "host/env/environment.hpp"
#include "host/error.hpp"
#include "host/files/text.hpp"
#include "kernels/dram/types.hpp"

namespace exarch::fuzz {
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("exarch_fuzz." + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

class NoOutput {
 public:
  NoOutput() : out_(std::cout.rdbuf(&nowhere_)), error_(std::cerr.rdbuf(&nowhere_)) {}
  NoOutput(const NoOutput&) = delete;
  NoOutput& operator=(const NoOutput&) = delete;
  ~NoOutput() {
    std::cout.rdbuf(out_);
    std::cerr.rdbuf(error_);
  }

 private:
  struct Nowhere : std::streambuf {
    int overflow(int c) override { return c == EOF ? 0 : c; }
    std::streamsize xsputn(const char*, std::streamsize count) override { return count; }
  } nowhere_;
  std::streambuf *out_, *error_;
};

}  // namespace

const std::vector<Target>& targets() {
  static const std::vector<Target> kAll = [] {
    std::vector<Target> all;
    for (const auto& some :
         {trace_targets(), dram_targets(), maestro_targets(), timeloop_targets(), text_targets(), store_targets()}) {
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }();
  return kAll;
}

const Target& find_target(std::string_view name) {
  const auto found = std::ranges::find(targets(), name, &Target::name);
  if (found == targets().end()) throw std::invalid_argument("no fuzz target '" + std::string(name) + "'");
  return *found;
}

void run(const Target& target, std::string_view input) {
  const NoOutput quiet;
  try {
    target.run(input);
  } catch (const Error& error) {
    const std::string message = printable_message(error.what());
    require(!message.empty() && message.size() <= 2100, "a message is of 1 to 2,100 bytes");
    require(is_utf8(message), "a message is UTF-8");
    require(std::ranges::none_of(message, [](unsigned char c) { return (c < 0x20 && c != '\n') || c == 0x7F; }),
            "a message has no control characters");
  }
}

void require(bool condition, std::string_view what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz: not so: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

fs::path scratch(const std::string& name) {
  static const Folder kFolder;
  return kFolder.path / name;
}

fs::path write_scratch(const std::string& name, std::string_view text) {
  fs::path path = scratch(name);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.flush()) throw std::runtime_error(path.string() + ": cannot be written");
  return path;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int run_verb(const cli::Verb& verb, std::vector<std::string> words) {
  words.insert(words.begin(), verb.name);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  return verb.run(cli::parse(verb, static_cast<int>(argv.size()), argv.data()));
}

void simulate_dram(const std::string& trace, const std::string& memspec, const std::string& mapping) {
  const Environment& environment = find_environment("dram");
  WorkloadOptions options{{"trace", trace}};
  if (!memspec.empty()) options["memspec"] = memspec;
  if (!mapping.empty()) options["addressmapping"] = mapping;
  const auto workload = environment.load_workload(options);
  static Backend backend("cpu", 1);
  Design designs = default_design(environment.parameters());
  const std::vector<std::int64_t> more = random_designs(environment.spaces().front(), 2, workload->work);
  designs.insert(designs.end(), more.begin(), more.end());
  Outcomes fast, reference;
  environment.simulate(*workload, designs, Engine::fast, backend, fast);
  // A run without an end: the reference takes seconds to give up.
  if (std::ranges::find(fast.status, static_cast<std::uint8_t>(dram::Status::step_limit)) != fast.status.end()) return;
  environment.simulate(*workload, designs, Engine::reference, backend, reference);
  require(fast.status == reference.status, "both engines end alike");
  if (std::ranges::any_of(fast.status, [](std::uint8_t status) { return status != 0; })) return;
  // What users see of both: the counters that are shown, and the metrics, which also rest on those that are not.
  const std::size_t parameters = environment.parameters().size(), counters = environment.counters().size();
  const auto shown = [&](const Outcomes& outcomes, std::size_t i) {
    const std::span<const std::uint64_t> row = std::span(outcomes.counters).subspan(i * counters, counters);
    std::vector<double> values(environment.metrics().size());
    environment.price(*workload, std::span(designs).subspan(i * parameters, parameters), row, values);
    for (std::size_t c = 0; c < counters; ++c) {
      if (!environment.counters()[c].internal) values.push_back(static_cast<double>(row[c]));
    }
    return values;
  };
  for (std::size_t i = 0; i < fast.status.size(); ++i) {
    require(shown(fast, i) == shown(reference, i), "both engines count alike");
  }
}

}  // namespace exarch::fuzz
