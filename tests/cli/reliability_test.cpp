// What happens to runs and stores when processes die, files go or are edited: nothing is stuck, nothing is lost that was
// committed, and nothing that was not computed comes out.
#include <sqlite3.h>
#include <sys/resource.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "host/store/run_store.hpp"
#include "host/study/study_store.hpp"
#include "tests/support/cli.hpp"
#include "tests/support/errors.hpp"

namespace exarch::testing {
namespace {

// A command that writes store.db, and commands that say what is in it.
struct Job {
  std::string name;
  Words command;
  std::vector<Words> shows;
};

std::ostream& operator<<(std::ostream& out, const Job& job) {
  return out << job.name;
}

const std::vector<Words> kRunShows = {
    {"export", "store.db"}, {"best", "store.db"}, {"report", "store.db", "-o", "r.html", "--json"}};

std::vector<Job> jobs(const std::string& sample, const std::string& generations) {
  return {
      {"SimulatedStudy", {"study", "simulated.toml", "--out", "store.db", "--threads", "1"}, {{"study", "store.db", "--json"}}},
      {"StudyOfATruth", {"study", "truth.toml", "--out", "store.db", "--threads", "1"}, {{"study", "store.db", "--json"}}},
      {"Search",
       {"search", "dram", "--trace", "t.stl", "--population", "16", "--generations", generations, "--out", "store.db",
        "--threads", "1"},
       kRunShows},
      {"Sweep", {"sweep", "dram", "--trace", "t.stl", "--sample", sample, "--out", "store.db", "--threads", "1"}, kRunShows},
      {"SweepThatKeepsTheBest",
       {"sweep", "dram", "--trace", "t.stl", "--sample", sample, "--keep", "best", "--objective", "latency", "--top", "3",
        "--out", "store.db", "--threads", "1"},
       kRunShows}};
}

std::string name_of(const ::testing::TestParamInfo<Job>& info) {
  return info.param.name;
}

class Reliability : public Cli {
 protected:
  void SetUp() override {
    Cli::SetUp();
    fs::rename(dir_ / small_trace(40), dir_ / "t.stl");
    small_space();
    const auto plan = [this](const std::string& costs, const std::string& evaluations) {
      write_text(dir_ / (costs == "truth" ? "truth.toml" : "simulated.toml"),
                 "name = \"plan\"\nenvironment = \"dram\"\nobjectives = [\"latency\"]\ncosts = \"" + costs +
                     "\"\nseeds = 2\nspace = \"space.json\"\n[workload]\ntrace = [\"t.stl\"]\n[[agents]]\nagent = "
                     "\"random\"\npopulation "
                     "= 4\nevaluations = " +
                     evaluations + "\n[[agents]]\nagent = \"ga\"\npopulation = 4\nevaluations = " + evaluations + "\n");
    };
    plan("truth", "8");
    plan("simulation", "8");
  }

  void clear() const {
    for (const auto& entry : fs::directory_iterator(dir_)) {
      if (entry.path().filename().string().starts_with("store.")) fs::remove(entry.path());
    }
  }

  [[nodiscard]] std::string says(const std::vector<Words>& commands) const {
    std::string text;
    for (const Words& command : commands) text += good(command);
    return text;
  }

  // Edits a store as a user of the sqlite3 shell would.
  void sql(const std::string& name, const std::string& statement) const {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(path(name).c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, statement.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << statement << ": " << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
};

// ---- dying at any write -------------------------------------------------------------------------------------------------

class CrashPoints : public Reliability, public ::testing::WithParamInterface<Job> {
 protected:
  void SetUp() override {
    Reliability::SetUp();
    if (EXARCH_SANITIZED) GTEST_SKIP() << "a sanitizer and a preloaded library do not go together";
  }

  Outcome run_crashing(const Words& words, const std::vector<std::pair<std::string, std::string>>& settings) const {
    setenv("LD_PRELOAD", EXARCH_CRASH_SHIM, 1);
    for (const auto& [name, value] : settings) setenv(name.c_str(), value.c_str(), 1);
    Outcome outcome = run(words);
    unsetenv("LD_PRELOAD");
    for (const auto& [name, value] : settings) unsetenv(name.c_str());
    return outcome;
  }
};

TEST_P(CrashPoints, TheSameCommandRecoversFromEveryOne) {
  const Outcome whole = run_crashing(GetParam().command, {{"EXARCH_CRASH_LOG", path("calls")}});
  ASSERT_EQ(whole.code, 0) << whole.err;
  const std::size_t calls = lines_of(read_text(dir_ / "calls")).size();
  ASSERT_GT(calls, 40u);
  const std::string want = says(GetParam().shows);
  for (std::size_t at = 1; at <= calls; ++at) {
    clear();
    const auto how = std::to_string(at % 3);
    const Outcome killed = run_crashing(GetParam().command, {{"EXARCH_CRASH_AT", std::to_string(at)}, {"EXARCH_CRASH_HOW", how}});
    ASSERT_EQ(killed.code, -SIGKILL) << "call " << at;
    const Outcome again = run(GetParam().command);
    ASSERT_EQ(again.code, 0) << "call " << at << ": " << again.err;
    ASSERT_TRUE(says(GetParam().shows) == want) << "call " << at;
  }
  RecordProperty("crash_points", static_cast<int>(calls));
}

// Whoever reads first must be able to roll back, not only the command that wrote.
TEST_P(CrashPoints, ReadersSeeAStoreOrSayThatThereIsNone) {
  const Outcome whole = run_crashing(GetParam().command, {{"EXARCH_CRASH_LOG", path("calls")}});
  ASSERT_EQ(whole.code, 0) << whole.err;
  const std::size_t calls = lines_of(read_text(dir_ / "calls")).size();
  const std::string want = says(GetParam().shows);
  for (std::size_t at = 1; at <= calls; at += at < 30 || at + 12 > calls ? 1 : 7) {  // creation and end in steps of one
    clear();
    (void)run_crashing(GetParam().command, {{"EXARCH_CRASH_AT", std::to_string(at)}, {"EXARCH_CRASH_HOW", "1"}});
    for (const Words& show : GetParam().shows) {
      const Outcome shown = run(show);
      EXPECT_GE(shown.code, 0) << "call " << at;
      for (const char* wrong : {"readonly", "malformed", "disk I/O", "damaged", "unable to open"}) {
        EXPECT_EQ(shown.err.find(wrong), std::string::npos) << "call " << at << ", " << joined(show) << ": " << shown.err;
      }
    }
    ASSERT_EQ(run(GetParam().command).code, 0);
    ASSERT_TRUE(says(GetParam().shows) == want) << "call " << at;
  }
}

INSTANTIATE_TEST_SUITE_P(Jobs, CrashPoints, ::testing::ValuesIn(jobs("200", "4")), name_of);

// ---- kills at random moments --------------------------------------------------------------------------------------------

class RandomKills : public Reliability, public ::testing::WithParamInterface<Job> {};

// EXARCH_KILLS=60 makes 300 of it over all jobs.
TEST_P(RandomKills, DifferInNoByte) {
  const char* asked = std::getenv("EXARCH_KILLS");
  const int wanted = asked != nullptr ? std::atoi(asked) : 3;
  Words command = GetParam().command;
  if (command[0] == "study") {  // longer ones, so that kills meet every stage
    for (const char* name : {"truth.toml", "simulated.toml"}) {
      std::string plan = read_text(dir_ / name);
      for (std::size_t at; (at = plan.find("evaluations = 8\n")) != std::string::npos;)
        plan.replace(at, 16, "evaluations = 6000\n");
      write_text(dir_ / name, plan);
    }
  }
  int polls = 0;
  (void)signal_when(command, SIGKILL, [&] { return ++polls < 0; });  // to its end: how many polls that takes
  const std::string want = says(GetParam().shows);
  std::mt19937_64 random(7);
  int killed = 0;
  for (int attempts = 0; killed < wanted && attempts < 4 * wanted; ++attempts) {
    clear();
    // Up to three kills of one store.
    for (int again = 0; again < 3; ++again) {
      int left = static_cast<int>(random() % static_cast<std::uint64_t>(polls));
      killed += kill_when(command, [&] { return left-- <= 0; }) ? 1 : 0;
    }
    const Outcome last = run(command);
    ASSERT_EQ(last.code, 0) << last.err;
    ASSERT_TRUE(says(GetParam().shows) == want);
  }
  RecordProperty("killed", killed);
  EXPECT_GE(killed, 1);
}

INSTANTIATE_TEST_SUITE_P(Jobs, RandomKills, ::testing::ValuesIn(jobs("100000", "300")), name_of);

// ---- signals ------------------------------------------------------------------------------------------------------------

class Signals : public Reliability, public ::testing::WithParamInterface<Job> {};

TEST_P(Signals, EndARunAtItsNextBatchAndSayHowToGoOn) {
  Words command = GetParam().command;
  for (std::string& word : command) {
    if (word == "store.db") word = "whole.db";
  }
  good(command);
  std::vector<Words> shows = GetParam().shows;
  const std::string want = good({"export", "whole.db"});
  for (const int signal : {SIGINT, SIGTERM}) {
    clear();
    int kept = 0;
    const auto has_rows = [&] {
      if (!fs::exists(dir_ / "store.db")) return false;
      try {
        const RunStore store(dir_ / "store.db");
        return store.points_done(0) > 0 || store.last_generation().has_value();
      } catch (const Error&) {
        return false;
      }
    };
    const Outcome ended = signal_when(GetParam().command, signal, has_rows);
    ASSERT_EQ(ended.code, 128 + signal) << ended.err;
    EXPECT_EQ(ended.out, "");
    EXPECT_EQ(ended.err, "exarch: interrupted; what is done is in store.db: give the same command again to go on\n");
    for (const auto& entry : fs::directory_iterator(dir_)) kept += entry.path().filename().string().starts_with("store.") ? 1 : 0;
    EXPECT_EQ(kept, 1) << "a store that was ended well is one file";
    const Outcome again = run(GetParam().command);
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_NE(again.err.find("exarch: continuing store.db after "), std::string::npos) << again.err;
    EXPECT_TRUE(good({"export", "store.db"}) == want);
  }
}

INSTANTIATE_TEST_SUITE_P(Jobs, Signals, ::testing::ValuesIn([] {
                           std::vector<Job> all = jobs("250000", "2000");
                           all.erase(all.begin(), all.begin() + 2);
                           return all;
                         }()),
                         name_of);

TEST_F(Reliability, AStudyThatIsInterruptedGoesOn) {
  std::string plan = read_text(dir_ / "simulated.toml");
  plan.replace(plan.find("seeds = 2"), 9, "seeds = 400");
  for (std::size_t at; (at = plan.find("evaluations = 8\n")) != std::string::npos;) plan.replace(at, 16, "evaluations = 3000\n");
  write_text(dir_ / "simulated.toml", plan);
  const Words command{"study", "simulated.toml", "--out", "store.db", "--json"};
  const Outcome ended = signal_when(command, SIGTERM, [&] { return is_store_of(dir_ / "store.db", StoreKind::study); });
  ASSERT_EQ(ended.code, 128 + SIGTERM) << ended.err;
  EXPECT_NE(ended.err.find("give the same command again to go on"), std::string::npos) << ended.err;
  const std::string continued = good(command);
  clear();
  EXPECT_EQ(good(command), continued);
}

// ---- a store that is taken away -------------------------------------------------------------------------------------------

TEST_F(Reliability, ARunWhoseStoreIsTakenAwayFails) {
  const Words command{"search", "dram",          "--trace", "t.stl", "--population",
                      "16",     "--generations", "1000000", "--out", "store.db"};
  const auto expect_lost = [&](const std::string& said, const std::function<void()>& take_away) {
    clear();
    bool taken = false;
    int polls = 0;
    const Outcome outcome = signal_when(command, SIGKILL, [&] {
      if (!taken && is_store_of(dir_ / "store.db", StoreKind::run) && fs::exists(dir_ / "store.db-wal")) {
        take_away();
        taken = true;
      }
      return taken && ++polls > 60'000;  // it should have ended long ago
    });
    EXPECT_EQ(outcome.code, 1) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err.find("exarch: store.db: " + said), std::string::npos) << outcome.err;
  };
  expect_lost("the store was deleted", [&] { fs::remove(dir_ / "store.db"); });
  expect_lost("the store was moved or renamed", [&] { fs::rename(dir_ / "store.db", dir_ / "store.moved"); });
  expect_lost("the store was replaced", [&] {
    write_text(dir_ / "store.other", "other");
    fs::rename(dir_ / "store.other", dir_ / "store.db");
  });
  EXPECT_EQ(read_text(dir_ / "store.db"), "other");
}

// A signal would end the process without a word.
TEST_F(Reliability, ALimitOfFileSizesIsAnErrorOfTheWrite) {
  const Words search{"search", "dram",          "--trace", "t.stl",       "--population",
                     "256",    "--generations", "12",      "--objective", "latency"};
  const auto into = [&search](const std::string& store) {
    Words words = search;
    words.insert(words.end(), {"--out", store});
    return words;
  };
  good(into("whole.db"));
  const auto run_limited = [this](const Words& words) {
    rlimit before{};
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    rlimit limit = before;
    limit.rlim_cur = 60'000;
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const Outcome outcome = run(words);
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    return outcome;
  };
  const Outcome stopped = run_limited(into("parts.db"));
  EXPECT_EQ(stopped.code, 1) << stopped.err;
  EXPECT_NE(stopped.err.find("parts.db"), std::string::npos) << stopped.err;
  good(into("parts.db"));
  EXPECT_EQ(good({"export", "parts.db"}), good({"export", "whole.db"}));
  const Outcome exported = run_limited({"export", "whole.db", "--out", "whole.csv"});
  EXPECT_EQ(exported.code, 1) << exported.err;
  EXPECT_NE(exported.err.find("whole.csv"), std::string::npos) << exported.err;
  EXPECT_FALSE(fs::exists(path("whole.csv")));
}

TEST_F(Reliability, NamesAreNamesOfFiles) {
  for (const std::string name : {"file:x.db", ":memory:", "file:y.db?mode=memory", "a b%20#?.db"}) {
    good({"sweep", "dram", "--trace", "t.stl", "--sample", "5", "--out", name});
    EXPECT_TRUE(fs::exists(dir_ / name)) << name;
    EXPECT_EQ(lines_of(good({"export", name})).size(), 6u) << name;
  }
}

// ---- stores as input --------------------------------------------------------------------------------------------------------

// Rows whose checksums are right, and that no run writes: what a program that only knows the format might make.
class HostileStores : public Reliability {
 protected:
  void SetUp() override {
    Reliability::SetUp();
    good({"search", "dram", "--trace", "t.stl", "--population", "4", "--generations", "3", "--out", "search.db"});
    good({"sweep", "dram", "--trace", "t.stl", "--sample", "6", "--out", "sweep.db"});
    good({"study", "simulated.toml", "--out", "study.db"});
  }

  // A store like `name` with another value for a key, and what `add` puts into it.
  void remake(const std::string& name, const std::string& key, const std::string& value,
              const std::function<void(RunStore&)>& add = {}) const {
    fs::remove(dir_ / "m.db");
    const RunStore model(dir_ / name);
    Identity identity = model.identity();
    for (auto& [its_key, its_value] : identity) {
      if (its_key == key) its_value = value;
    }
    RunStore store(dir_ / "m.db", identity, model.layout(), model.notes());
    store.transaction([&] {
      model.for_each_result([&](ResultId, const StoredResult& result) {
        (void)store.add_result(result);
        return true;
      });
      if (add) add(store);
    });
  }

  void expect_all_refuse(const std::string& said) const {
    for (const Words& words : {Words{"export", "m.db"}, {"best", "m.db"}, {"report", "m.db", "-o", "r.html"}}) {
      const Outcome outcome = run(words);
      EXPECT_EQ(outcome.code, 1) << joined(words) << "\n" << outcome.err;
      EXPECT_NE(outcome.err.find("m.db"), std::string::npos) << outcome.err;
      EXPECT_NE(outcome.err.find(said), std::string::npos) << joined(words) << ": no '" << said << "' in\n" << outcome.err;
    }
  }
};

TEST_F(HostileStores, WhatAStoreSaysAboutItselfIsChecked) {
  const std::string nested = std::string(100'000, '[') + std::string(100'000, ']');
  for (const auto& [key, value, said] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"seed", "99999999999999999999999", "'seed' is no whole number"},
           {"seed", "", "'seed' is no whole number"},
           {"objective", "", "'objective' has no meaning"},
           {"objective", "min:nonsense", "'objective' has no meaning"},
           {"environment", "drum", "of environment 'drum', which is not there"},
           {"command", "dance", "neither a sweep nor a search"},
           {"space", "{", ""},
           {"space", nested, ""},
           {"workloads", "[]", ""},
           {"workloads", "7", "'workloads' is no JSON"},
           {"workloads", nested, ""}}) {
    SCOPED_TRACE(key + " = " + value.substr(0, 60));
    remake("search.db", key, value);
    expect_all_refuse(said);
  }
  for (const char* sample : {"-1", "", "1e3", "5"}) {
    remake("sweep.db", "sample", sample, [](RunStore& store) { store.add_points(0, 0, std::vector<ResultId>(6, 0)); });
    expect_all_refuse(*sample == '5' ? "more points than its sweep" : "'sample' is no whole number");
  }
}

TEST_F(HostileStores, GenerationsAreThoseOfTheSearch) {
  const RunStore model(dir_ / "search.db");
  const StoredGeneration first = [&] {
    std::optional<StoredGeneration> found;
    model.for_each_generation([&](const StoredGeneration& generation) {
      found = generation;
      return false;
    });
    return *found;
  }();
  const auto with = [&](const std::function<void(StoredGeneration&)>& change) {
    StoredGeneration generation = first;
    change(generation);
    remake("search.db", "", "", [&](RunStore& store) { store.add_generation(generation); });
    expect_all_refuse("the store is damaged");
  };
  with([](StoredGeneration& g) { g.genes[0] = 0xFFFF; });
  with([](StoredGeneration& g) { g.genes.resize(g.genes.size() / 2); });
  with([](StoredGeneration& g) { g.genes.clear(); });
  with([](StoredGeneration& g) { g.costs.clear(); });
  with([](StoredGeneration& g) { g.costs.resize(2 * g.costs.size()); });
  with([](StoredGeneration& g) { g.results.resize(1); });
}

TEST_F(HostileStores, AnEditedStoreIsRefused) {
  const auto refused = [&](const std::string& name, const std::string& statement, const Words& words) {
    fs::copy_file(dir_ / name, dir_ / "m.db", fs::copy_options::overwrite_existing);
    sql("m.db", statement);
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 1) << statement << "\n" << outcome.err;
    EXPECT_NE(outcome.err.find("m.db: "), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find("the store is damaged"), std::string::npos) << statement << "\n" << outcome.err;
  };
  const Words shown{"export", "m.db"}, best{"best", "m.db"}, study{"study", "m.db", "--json"};
  const Words report{"report", "m.db", "-o", "r.html"};
  const Words resume{"search", "dram", "--trace", "t.stl", "--population", "4", "--generations", "5", "--out", "m.db"};
  for (const Words& words : {shown, best, report, resume}) {
    refused("search.db", "UPDATE generation SET genes = zeroblob(2)", words);
    refused("search.db", "UPDATE generation SET costs = x''", words);
    refused("search.db", "UPDATE generation SET results = x'FFFFFFFF' || substr(results, 5)", words);
    refused("search.db", "DELETE FROM generation WHERE generation = 1", words);
    refused("search.db", "DELETE FROM generation WHERE generation = 2", words);
    refused("search.db", "DELETE FROM layout", words);
    refused("search.db", "UPDATE result SET status = 77", words);
    refused("search.db", "DELETE FROM result WHERE id = 0", words);
    refused("search.db", "UPDATE manifest SET value = '' WHERE key = 'objective'", words);
  }
  for (const Words& words : {shown, best, report}) {
    refused("sweep.db", "UPDATE points SET first = 5", words);
    refused("sweep.db", "UPDATE points SET results = zeroblob(20)", words);
    refused("sweep.db", "UPDATE swept SET points = 1000000000000", words);
    refused("sweep.db", "DELETE FROM points", words);
  }
  for (const char* statement :
       {"UPDATE configuration SET evaluations = -1", "UPDATE configuration SET seeds = 9223372036854775807",
        "UPDATE cell SET cost = x''", "DELETE FROM cell WHERE configuration = 0", "UPDATE problem SET optimum = 1",
        "UPDATE note SET value = 'x' WHERE key = 'name'", "DELETE FROM configuration WHERE id = 1"}) {
    for (const Words& words : {study, report, Words{"study", "simulated.toml", "--out", "m.db"}})
      refused("study.db", statement, words);
  }
}

TEST_F(HostileStores, ConfigurationsAreThoseOfAPlan) {
  const StudyStore model(dir_ / "study.db");
  const auto remade = [&](const std::string& key, const std::string& value,
                          const std::function<void(StoredConfiguration&)>& change) {
    fs::remove(dir_ / "m.db");
    Identity identity = model.file().identity();
    for (auto& [its_key, its_value] : identity) {
      if (its_key == key) its_value = value;
    }
    std::vector<StoredConfiguration> configurations = model.configurations();
    change(configurations[0]);
    (void)test::error_of([&] {
      StudyStore store(dir_ / "m.db", identity, model.file().notes(), configurations, model.problems());
      store.file().transaction([&] {
        model.for_each_cell([&](std::uint32_t c, std::uint32_t p, const StoredCell& cell) {
          store.add_cell(c, p, cell);
          return true;
        });
      });
    });
    for (const Words& words : {Words{"study", "m.db", "--json"}, {"report", "m.db", "-o", "r.html"}}) {
      const Outcome outcome = run(words);
      EXPECT_EQ(outcome.code, 1) << joined(words) << " " << key << "\n" << outcome.err;
      EXPECT_NE(outcome.err.find("m.db"), std::string::npos) << outcome.err;
    }
  };
  const auto same = [](StoredConfiguration&) {};
  remade("", "", [](StoredConfiguration& c) { c.evaluations = ~0ull; });
  remade("", "", [](StoredConfiguration& c) { c.evaluations = 0; });
  remade("", "", [](StoredConfiguration& c) { c.population = 1ull << 40; });
  remade("", "", [](StoredConfiguration& c) { c.parameters = "{"; });
  remade("", "", [](StoredConfiguration& c) { c.parameters = "7"; });
  remade("", "", [](StoredConfiguration& c) { c.parameters = std::string(100'000, '[') + std::string(100'000, ']'); });
  remade("plan", "{", same);
  remade("plan", "[]", same);
  remade("plan", std::string(100'000, '[') + std::string(100'000, ']'), same);
  remade("space", "7", same);
}

}  // namespace
}  // namespace exarch::testing
