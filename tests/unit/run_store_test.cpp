// What a run relies on: everything committed comes back exactly, whatever happens to the process or the disk in between, and a
// store is never mistaken for another.
#include "host/store/run_store.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>

#include "host/error.hpp"
#include "tests/support/errors.hpp"

namespace exarch {
namespace {

namespace fs = std::filesystem;

const Identity kIdentity = {{"model", "m/1"}, {"space", "{\"a\": [1, 2]}"}, {"seed", "1"}};
const RunStore::Layout kLayout = {{"PagePolicy", "Request \"Buffer\""}, {"reads", "total_time_ps"}};

// A folder of its own for each test, removed at its end.
class RunStoreTest : public testing::Test {
 protected:
  RunStoreTest() { fs::create_directories(folder_); }
  ~RunStoreTest() override { fs::remove_all(folder_); }

  [[nodiscard]] fs::path path(const std::string& name = "run.db") const { return folder_ / name; }
  [[nodiscard]] RunStore open() const { return {path(), kIdentity, kLayout}; }

  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  fs::path folder_ = fs::path(testing::TempDir()) / ("exarch_store_" + std::to_string(::getpid()) + "_" +
                                                     testing::UnitTest::GetInstance()->current_test_info()->name());
};

StoredResult result_of(std::uint64_t i) {
  return {.workload = static_cast<std::uint32_t>(i % 3),
          .design = {static_cast<std::int64_t>(i), -static_cast<std::int64_t>(i)},
          .status = static_cast<std::uint8_t>(i % 256),
          .counters = {i * i, std::numeric_limits<std::uint64_t>::max() - i},
          .proof = std::string(i % 5, static_cast<char>(i))};
}

void expect_equal(const StoredResult& a, const StoredResult& b) {
  EXPECT_EQ(a.workload, b.workload);
  EXPECT_EQ(a.design, b.design);
  EXPECT_EQ(a.status, b.status);
  EXPECT_EQ(a.counters, b.counters);
  EXPECT_EQ(a.proof, b.proof);
}

StoredGeneration generation_of(std::uint32_t g) {
  return {.generation = g,
          .genes = {0, 65535, static_cast<std::uint16_t>(g), 258},
          .results = {0, 1},
          .costs = {-0.1 * g, std::numeric_limits<double>::infinity()},
          .requested = 10ull * g,
          .simulated = g,
          .agent_state = std::string("state\0with a zero", 17)};
}

void expect_equal(const StoredGeneration& a, const StoredGeneration& b) {
  EXPECT_EQ(a.generation, b.generation);
  EXPECT_EQ(a.genes, b.genes);
  EXPECT_EQ(a.results, b.results);
  EXPECT_EQ(a.costs, b.costs);
  EXPECT_EQ(a.requested, b.requested);
  EXPECT_EQ(a.simulated, b.simulated);
  EXPECT_EQ(a.agent_state, b.agent_state);
}

// Adds `count` results and their points, of workload 0, in one transaction.
void add_chunk(RunStore& store, std::uint64_t count) {
  store.transaction([&] {
    std::vector<ResultId> ids;
    const std::uint64_t first = store.result_count();
    for (std::uint64_t i = 0; i < count; ++i) ids.push_back(store.add_result(result_of(first + i)));
    store.add_points(0, store.points_done(0), ids);
  });
}

// The store holds results 0 .. count-1, each as result_of() makes it, and as many points.
void expect_chunks(const RunStore& store, std::uint64_t count) {
  EXPECT_EQ(store.result_count(), count);
  EXPECT_EQ(store.points_done(0), count);
  std::uint64_t results = 0, points = 0;
  store.for_each_result([&](ResultId id, const StoredResult& result) {
    EXPECT_EQ(id, results);
    expect_equal(result, result_of(results++));
    return true;
  });
  store.for_each_points(0, [&](std::uint64_t first, std::span<const ResultId> ids) {
    EXPECT_EQ(first, points);
    for (const ResultId id : ids) EXPECT_EQ(id, points++);
    return true;
  });
  EXPECT_EQ(results, count);
  EXPECT_EQ(points, count);
}

using test::error_of;

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

// Plain SQL on a store, as a user of the sqlite3 shell would do it; returns the first column of the first row.
std::string sql(const fs::path& path, const std::string& statement) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  std::string answer;
  const auto keep = [](void* to, int, char** values, char**) {
    if (values[0] != nullptr && static_cast<std::string*>(to)->empty()) *static_cast<std::string*>(to) = values[0];
    return 0;
  };
  EXPECT_EQ(sqlite3_exec(db, statement.c_str(), keep, &answer, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
  return answer;
}

// Runs `body` in a child process and returns how it ended.
template <class Body>
int in_child(Body&& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST_F(RunStoreTest, EverythingComesBackExactly) {
  {
    RunStore store = open();
    EXPECT_FALSE(store.resumed());
    add_chunk(store, 1000);
    store.transaction([&] {
      store.add_points(7, 0, std::vector<ResultId>{5, 5, 999});
      store.add_points(7, 3, std::vector<ResultId>{0});
      for (std::uint32_t g = 0; g < 3; ++g) store.add_generation(generation_of(g));
    });
  }
  const RunStore store(path());
  EXPECT_EQ(store.identity(), kIdentity);
  EXPECT_EQ(store.identity_value("seed"), "1");
  EXPECT_EQ(store.layout().parameters, kLayout.parameters);
  EXPECT_EQ(store.layout().counters, kLayout.counters);
  expect_chunks(store, 1000);
  EXPECT_EQ(store.points_done(7), 4u);
  EXPECT_EQ(store.points_done(8), 0u);
  std::uint32_t generations = 0;
  store.for_each_generation([&](const StoredGeneration& generation) {
    expect_equal(generation, generation_of(generations++));
    return true;
  });
  EXPECT_EQ(generations, 3u);
  ASSERT_TRUE(store.last_generation().has_value());
  expect_equal(*store.last_generation(), generation_of(2));
}

TEST_F(RunStoreTest, AnEmptyStoreIsEmpty) {
  const RunStore store = open();
  EXPECT_EQ(store.result_count(), 0u);
  EXPECT_EQ(store.points_done(0), 0u);
  EXPECT_FALSE(store.last_generation().has_value());
  EXPECT_TRUE(store.notes().empty());
  EXPECT_HAS(error_of([&] { (void)store.identity_value("sed"); }), "does not say 'sed' (did you mean 'seed'?)");
}

TEST_F(RunStoreTest, VisitsStopWhenAsked) {
  RunStore store = open();
  add_chunk(store, 10);
  add_chunk(store, 10);
  store.transaction([&] { store.add_generation(generation_of(0)), store.add_generation(generation_of(1)); });
  int results = 0, points = 0, generations = 0;
  store.for_each_result([&](ResultId, const StoredResult&) { return ++results < 3; });
  store.for_each_points(0, [&](std::uint64_t, std::span<const ResultId>) { return ++points < 1; });
  store.for_each_generation([&](const StoredGeneration&) { return ++generations < 1; });
  EXPECT_EQ(results, 3);
  EXPECT_EQ(points, 1);
  EXPECT_EQ(generations, 1);
}

TEST_F(RunStoreTest, AContinuedRunGoesOnWhereItStopped) {
  {
    auto store = open();
    add_chunk(store, 10);
  }
  {
    RunStore store = open();
    EXPECT_TRUE(store.resumed());
    EXPECT_EQ(store.result_count(), 10u);
    add_chunk(store, 5);
    store.transaction([&] { store.add_generation(generation_of(0)); });
  }
  RunStore store = open();
  store.transaction([&] { store.add_generation(generation_of(1)); });
  expect_chunks(store, 15);
  EXPECT_EQ(store.last_generation()->generation, 1u);
}

TEST_F(RunStoreTest, ABodyThatThrowsLeavesNothingBehind) {
  RunStore store = open();
  add_chunk(store, 10);
  EXPECT_THROW(store.transaction([&] {
    store.add_points(0, 10, std::vector<ResultId>{store.add_result(result_of(10))});
    store.add_generation(generation_of(0));
    throw std::runtime_error("stop");
  }),
               std::runtime_error);
  expect_chunks(store, 10);
  EXPECT_FALSE(store.last_generation().has_value());
  add_chunk(store, 10);
  expect_chunks(store, 20);
}

TEST_F(RunStoreTest, NotesAreThoseOfTheFirstProcessUnlessReplaced) {
  const Notes notes = {{"processor", "a"}, {"backend", "x y"}};
  { EXPECT_EQ(RunStore(path(), kIdentity, kLayout, notes).notes(), notes); }
  EXPECT_EQ(RunStore(path()).notes(), notes);
  RunStore again(path(), kIdentity, kLayout, {{"processor", "b"}});
  EXPECT_EQ(again.notes(), notes);
  again.note("objective", "latency");
  again.note("backend", "z");
  const Notes changed = {{"processor", "a"}, {"backend", "z"}, {"objective", "latency"}};
  EXPECT_EQ(again.notes(), changed);
  EXPECT_EQ(RunStore(path()).notes(), changed);
}

TEST_F(RunStoreTest, IsReadableInSql) {
  {
    RunStore store = open();
    add_chunk(store, 100);
    store.transaction([&] { store.add_generation(generation_of(0)), store.add_generation(generation_of(3 - 2)); });
  }
  EXPECT_EQ(sql(path(), "SELECT reads FROM result WHERE \"Request \"\"Buffer\"\"\" = -12"), "144");
  EXPECT_EQ(sql(path(), "SELECT total_time_ps FROM result WHERE id = 0"), "-1");  // 2^64 - 1 as a signed number
  EXPECT_EQ(sql(path(), "SELECT best_cost FROM generation WHERE generation = 1"), "-0.1");
  EXPECT_EQ(sql(path(), "SELECT value FROM manifest WHERE key = 'model'"), "m/1");
  EXPECT_EQ(sql(path(), "PRAGMA integrity_check"), "ok");
}

TEST_F(RunStoreTest, AGenerationWithoutAFeasibleCandidateHasNoBestCost) {
  StoredGeneration generation = generation_of(0);
  generation.costs = {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  {
    RunStore store = open();
    add_chunk(store, 2);
    store.transaction([&] { store.add_generation(generation); });
    EXPECT_EQ(store.last_generation()->costs, generation.costs);
  }
  EXPECT_EQ(sql(path(), "SELECT count(*) FROM generation WHERE best_cost IS NULL AND mean_cost IS NULL"), "1");
}

TEST_F(RunStoreTest, ManyPointsCostFourBytesEach) {
  constexpr std::uint32_t kChunk = 65'536;
  {
    RunStore store = open();
    add_chunk(store, 1);
    const std::vector<ResultId> ids(kChunk, 0);
    for (std::uint64_t i = 0; i < 40; ++i) {
      store.transaction([&] { store.add_points(1, i * kChunk, ids); });
    }
    EXPECT_EQ(store.points_done(1), 40u * kChunk);
  }
  EXPECT_LT(static_cast<double>(fs::file_size(path())), 4.05 * 40 * kChunk);
  EXPECT_EQ(RunStore(path()).points_done(1), 40u * kChunk);
}

TEST_F(RunStoreTest, MistakesOfTheProgramAreCaught) {
  RunStore store = open();
  EXPECT_THROW(store.add_result(result_of(0)), std::logic_error);  // no transaction
  EXPECT_THROW(store.transaction([&] { store.transaction([] {}); }), std::logic_error);
  EXPECT_THROW(store.transaction([&] { store.add_points(0, 1, std::vector<ResultId>{}); }), std::logic_error);
  EXPECT_THROW(store.transaction([&] { store.add_points(0, 0, std::vector<ResultId>{0}); }), std::logic_error);
  EXPECT_THROW(store.transaction([&] { store.add_generation(generation_of(1)); }), std::logic_error);
  StoredResult narrow = result_of(0);
  narrow.design.pop_back();
  EXPECT_THROW(store.transaction([&] { store.add_result(narrow); }), std::logic_error);
  RunStore reader(path());
  EXPECT_THROW(reader.transaction([] {}), std::logic_error);
  expect_chunks(store, 0);
}

TEST_F(RunStoreTest, AnotherRunIsRefusedWithTheFirstDifference) {
  {
    auto store = open();
    add_chunk(store, 3);
  }
  const auto error = [&](const Identity& identity, const RunStore::Layout& layout) {
    return error_of([&] { RunStore(path(), identity, layout); });
  };
  Identity other = kIdentity;
  other[1].second = "{\"a\": [1, 3]}";
  other[2].second = "2";
  EXPECT_HAS(error(other, kLayout), path().string() +
                                        ": the store holds another run: space is '{\"a\": [1, 2]}' there and "
                                        "'{\"a\": [1, 3]}' here");
  other = kIdentity;
  other.pop_back();
  EXPECT_HAS(error(other, kLayout), "seed is '1' there and absent here");
  other = kIdentity;
  other.emplace_back("agent", "ga");
  EXPECT_HAS(error(other, kLayout), "agent is absent there and 'ga' here");
  std::swap(other[0], other[2]);
  EXPECT_HAS(error(other, kLayout), "setting 0 is 'model' there and 'seed' here");
  EXPECT_HAS(error(kIdentity, {kLayout.parameters, {"reads", "writes"}}), "column 'total_time_ps' there is 'writes' here");
  EXPECT_HAS(error(kIdentity, {kLayout.parameters, {"reads"}}), "column 'total_time_ps' there is (none) here");
  EXPECT_HAS(error(kIdentity, {{"PagePolicy"}, {"Request \"Buffer\"", "reads", "total_time_ps"}}), "another run");
  expect_chunks(open(), 3);
}

TEST_F(RunStoreTest, ALongDifferenceIsShownWhereItIs) {
  const std::string text(500, 'x');
  { RunStore(path(), {{"space", text + "one" + text}}, kLayout); }
  const std::string message = error_of([&] { RunStore(path(), {{"space", text + "two" + text}}, kLayout); });
  EXPECT_HAS(message, "xxonexx");
  EXPECT_HAS(message, "xxtwoxx");
  EXPECT_LT(message.size(), 500u);
}

TEST_F(RunStoreTest, AnotherFormatVersionIsRefused) {
  {
    auto store = open();
    add_chunk(store, 3);
  }
  sql(path(), "PRAGMA user_version = 2");
  for (const std::string& message : {error_of([&] { (void)open(); }), error_of([&] { RunStore{path()}; })}) {
    EXPECT_HAS(message, path().string() + ": a store of format version 2; this program reads version 3");
  }
}

TEST_F(RunStoreTest, WhatIsNotAStoreIsRefusedAndLeftAlone) {
  const auto expect_refused = [&](const std::string& name) {
    std::ifstream before_file(path(name), std::ios::binary);
    const std::string before(std::istreambuf_iterator<char>(before_file), {});
    for (const std::string& message :
         {error_of([&] { RunStore(path(name), kIdentity, kLayout); }), error_of([&] { RunStore{path(name)}; })}) {
      EXPECT_HAS(message, path(name).string());
      EXPECT_HAS(message, "not an exarch store");
    }
    std::ifstream after_file(path(name), std::ios::binary);
    EXPECT_EQ(before, std::string(std::istreambuf_iterator<char>(after_file), {}));
  };
  std::ofstream(path("short.txt")) << "hello";
  std::ofstream(path("long.txt")) << std::string(100'000, 'x');
  sql(path("other.db"), "CREATE TABLE t(x)");
  expect_refused("short.txt");
  expect_refused("long.txt");
  expect_refused("other.db");
  EXPECT_EQ(files(), (std::vector<std::string>{"long.txt", "other.db", "short.txt"}));
}

TEST_F(RunStoreTest, ReadingDoesNotCreateFiles) {
  EXPECT_HAS(error_of([&] { RunStore{path()}; }), path().string() + ": no such store");
  std::ofstream(path("empty.db")).close();
  EXPECT_HAS(error_of([&] { RunStore{path("empty.db")}; }), "not an exarch store");
  {
    auto store = open();
    add_chunk(store, 3);
  }
  expect_chunks(RunStore(path()), 3);
  EXPECT_EQ(files(), (std::vector<std::string>{"empty.db", "run.db"}));  // a finished store is one file
}

TEST_F(RunStoreTest, PlacesThatCannotHoldAStoreAreRefused) {
  EXPECT_HAS(error_of([&] { RunStore(path("no/such/run.db"), kIdentity, kLayout); }), "cannot write there");
  std::ofstream(path("file")).close();
  EXPECT_HAS(error_of([&] { RunStore(path("file/run.db"), kIdentity, kLayout); }), "cannot write there");
  fs::create_directories(path("folder"));
  EXPECT_HAS(error_of([&] { RunStore(path("folder"), kIdentity, kLayout); }), "check that the path is a file");
  EXPECT_HAS(error_of([&] { RunStore("", kIdentity, kLayout); }), "needs a file name");
}

TEST_F(RunStoreTest, AFolderWithoutWritePermissionIsRefused) {
  fs::create_directories(path("locked"));
  fs::permissions(path("locked"), fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_exec);
  const int status = in_child([&] {
    constexpr uid_t kNobody = 65534;
    if (::geteuid() == 0 && ::seteuid(kNobody) != 0) ::_exit(1);  // permissions do not bind the superuser
    const std::string message = error_of([&] { RunStore(path("locked/run.db"), kIdentity, kLayout); });
    ::_exit(message.find("cannot write there: Permission denied; check that") == std::string::npos);
  });
  fs::permissions(path("locked"), fs::perms::owner_all);
  EXPECT_EQ(status, 0);
}

TEST_F(RunStoreTest, ColumnNamesMustBeDistinctForSql) {
  const auto error = [&](const RunStore::Layout& layout) { return error_of([&] { RunStore(path(), kIdentity, layout); }); };
  EXPECT_HAS(error({{"a"}, {"A"}}), "'A' cannot be a column");
  EXPECT_HAS(error({{"Proof"}, {}}), "'Proof' cannot be a column");
  EXPECT_HAS(error({{"checksum"}, {}}), "'checksum' cannot be a column");
  EXPECT_HAS(error({{""}, {}}), "'' cannot be a column");
  EXPECT_TRUE(files().empty());
}

TEST_F(RunStoreTest, OneWriterWhateverTheNames) {
  {
    auto store = open();
    add_chunk(store, 3);
  }
  fs::create_symlink("run.db", path("link.db"));
  fs::create_hard_link(path(), path("hard.db"));
  RunStore store = open();
  add_chunk(store, 3);
  for (const char* name : {"link.db", "hard.db", "./run.db"}) {
    const auto refused = [&] { return error_of([&] { RunStore(path(name), kIdentity, kLayout); }); };
    EXPECT_HAS(refused(), "another process is writing to this store");
    EXPECT_EQ(in_child([&] { ::_exit(refused().find("another process is writing to this store") == std::string::npos); }), 0);
  }
  add_chunk(store, 3);
  expect_chunks(store, 9);
}

TEST_F(RunStoreTest, AKilledRunIsContinuedUnderItsOwnNameOnly) {
  const int status = in_child([&] {
    RunStore store = open();
    add_chunk(store, 3);
    ::kill(::getpid(), SIGKILL);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  // The last commits are in run.db-wal, which SQLite would not look for under another name.
  fs::create_hard_link(path(), path("hard.db"));
  EXPECT_HAS(error_of([&] { RunStore(path("hard.db"), kIdentity, kLayout); }), "this file has other names (hard links)");
  EXPECT_HAS(error_of([&] { RunStore{path("hard.db")}; }), "this file has other names (hard links)");
  fs::create_symlink("run.db", path("link.db"));
  expect_chunks(RunStore(path("link.db")), 3);
  expect_chunks(open(), 3);
  expect_chunks(RunStore(path("hard.db")), 3);
}

TEST_F(RunStoreTest, AStoreThatIsTakenAwayIsNoticedAtTheNextCommitAndAtTheEnd) {
  const auto expect_lost = [&](const std::string& said, const std::function<void()>& take_away) {
    for (const bool at_the_end : {false, true}) {
      fs::remove(path());
      RunStore store = open();
      add_chunk(store, 3);
      take_away();
      const std::string message = error_of([&] { at_the_end ? store.finish() : add_chunk(store, 3); });
      EXPECT_HAS(message, path().string() + ": " + said);
    }
  };
  expect_lost("the store was deleted while the run went on", [&] { fs::remove(path()); });
  expect_lost("the store was moved or renamed while the run went on", [&] { fs::rename(path(), path("moved.db")); });
  expect_lost("the store was replaced by another file while the run went on", [&] {
    fs::remove(path());
    std::ofstream(path()) << "somebody else's";
  });
  // Nor does the end of the run touch what is somebody else's now.
  std::ifstream file(path());
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "somebody else's");
}

TEST_F(RunStoreTest, AJournalThatIsTakenAwayIsNoticed) {
  RunStore store = open();
  add_chunk(store, 3);
  fs::remove(path("run.db-wal"));
  EXPECT_HAS(error_of([&] { add_chunk(store, 3); }), "run.db-wal: this part of the store was deleted or replaced");
}

TEST_F(RunStoreTest, OneWriterAtATime) {
  RunStore store = open();
  add_chunk(store, 3);
  const auto refused = [&] { return error_of([&] { (void)open(); }).find("another process is writing to this store"); };
  EXPECT_NE(refused(), std::string::npos);
  EXPECT_EQ(in_child([&] { ::_exit(refused() == std::string::npos); }), 0);
  add_chunk(store, 3);  // the refusals did not disturb the writer
  expect_chunks(store, 6);
  RunStore moved = std::move(store);
  EXPECT_NE(refused(), std::string::npos);
  { const RunStore closed = std::move(moved); }
  EXPECT_TRUE(open().resumed());
}

TEST_F(RunStoreTest, ReadersSeeOneStateWhileARunGoesOn) {
  RunStore writer = open();
  add_chunk(writer, 10);
  const RunStore reader(path());
  add_chunk(writer, 10);
  expect_chunks(reader, 10);
  expect_chunks(RunStore(path()), 20);
  writer.transaction([&] {
    (void)writer.add_result(result_of(20));
    expect_chunks(RunStore(path()), 20);
  });
}

TEST_F(RunStoreTest, AFinishedStoreWithAReaderLeftIsStillReadable) {
  auto writer = std::make_unique<RunStore>(open());
  add_chunk(*writer, 10);
  auto reader = std::make_unique<RunStore>(path());
  writer.reset();
  expect_chunks(*reader, 10);
  reader.reset();
  expect_chunks(RunStore(path()), 10);
  RunStore again = open();
  add_chunk(again, 1);
  expect_chunks(again, 11);
}

TEST_F(RunStoreTest, AKillLosesTheOpenTransactionOnly) {
  constexpr std::uint64_t kPerRound = 20'000;  // more than the page cache, so an open transaction reaches the file too
  for (std::uint64_t round = 0; round < 3; ++round) {
    const int status = in_child([&] {
      RunStore store = open();
      if (store.resumed() != (round > 0)) ::_exit(1);
      add_chunk(store, kPerRound);
      store.transaction([&] {
        std::vector<StoredResult> large(1, result_of(1));
        large[0].proof.assign(2000, 'x');
        for (int i = 0; i < 20'000; ++i) (void)store.add_result(large[0]);
        ::kill(::getpid(), SIGKILL);
      });
    });
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    expect_chunks(RunStore(path()), (round + 1) * kPerRound);
  }
  {
    RunStore store = open();
    EXPECT_TRUE(store.resumed());
    add_chunk(store, 100);
    expect_chunks(store, 3 * kPerRound + 100);
  }
  EXPECT_EQ(files(), std::vector<std::string>{"run.db"});
  EXPECT_EQ(sql(path(), "PRAGMA integrity_check"), "ok");
}

TEST_F(RunStoreTest, AKillAtAnyMomentLeavesWholeTransactions) {
  std::uint64_t count = 0;
  for (int round = 0; round < 12; ++round) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      RunStore store = open();
      while (::write(pipe[1], "", 1) == 1) add_chunk(store, 50);
      ::_exit(1);
    }
    // Killed while it makes the store, and then in the middle of a later chunk each time.
    char chunk = 0;
    for (int begun = 0; begun < round; ++begun) ASSERT_EQ(::read(pipe[0], &chunk, 1), 1);
    ::kill(child, SIGKILL);
    ::close(pipe[0]);
    ::close(pipe[1]);
    ::waitpid(child, nullptr, 0);
    RunStore store = open();  // not even a half-made store is in the way
    EXPECT_GE(store.result_count(), count);
    EXPECT_EQ(store.result_count() % 50, 0u);
    count = store.result_count();
    expect_chunks(store, count);
  }
  EXPECT_GT(count, 0u);
}

// A file system whose disk is full once `budget` more bytes have been written.
class FullDisk {
 public:
  explicit FullDisk(std::int64_t budget) {
    budget_ = budget;
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.zName = "full-disk";
    vfs_.xOpen = [](sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
      const int code = real_->xOpen(real_, name, file, flags, flags_out);
      if (code != SQLITE_OK) return code;
      // Databases and journals have methods of their own, with the same xWrite.
      sqlite3_io_methods& methods = methods_[(flags & SQLITE_OPEN_MAIN_DB) != 0];
      methods = *file->pMethods;
      real_write_ = methods.xWrite;
      methods.xWrite = [](sqlite3_file* f, const void* data, int size, sqlite3_int64 offset) {
        if (budget_ < size) return SQLITE_FULL;
        budget_ -= size;
        return real_write_(f, data, size, offset);
      };
      file->pMethods = &methods;
      return code;
    };
    sqlite3_vfs_register(&vfs_, 1);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_, 1);
  }

  void free(std::int64_t bytes) { budget_ += bytes; }

 private:
  // The callbacks are plain functions, hence static.
  static inline std::int64_t budget_ = 0;
  static inline sqlite3_vfs* real_ = nullptr;
  static inline int (*real_write_)(sqlite3_file*, const void*, int, sqlite3_int64) = nullptr;
  static inline sqlite3_vfs vfs_{};
  static inline sqlite3_io_methods methods_[2];
};

TEST_F(RunStoreTest, AFullDiskStopsTheRunAndKeepsWhatWasCommitted) {
  std::uint64_t committed = 0;
  {
    FullDisk disk(1'000'000);
    {
      RunStore store = open();
      const std::string message = error_of([&] {
        while (true) {
          add_chunk(store, 500);
          committed += 500;
        }
      });
      EXPECT_HAS(message, path().string() + ": database or disk is full");
      EXPECT_HAS(message, "free some space and start again, everything up to the last commit is kept");
      expect_chunks(store, committed);
      disk.free(1'000'000);  // the same process may go on, too
      add_chunk(store, 500);
      committed += 500;
    }
  }
  EXPECT_GT(committed, 1000u);
  EXPECT_TRUE(open().resumed());
  expect_chunks(RunStore(path()), committed);
  EXPECT_EQ(sql(path(), "PRAGMA integrity_check"), "ok");
}

TEST_F(RunStoreTest, ADiskThatIsFullFromTheStartLeavesNoHalfStore) {
  for (const std::int64_t budget : {0, 5'000, 20'000}) {
    FullDisk disk(budget);
    EXPECT_HAS(error_of([&] { (void)open(); }), "free some space");
  }
  EXPECT_FALSE(open().resumed());
}

// Reads all that a store has; "" if it is what fill() wrote.
std::string read_everything(const fs::path& path) {
  const RunStore store(path);
  if (store.identity() != kIdentity || store.notes() != Notes{{"processor", "p"}}) return "another identity";
  if (store.result_count() != 60 || store.points_done(0) != 60 || store.points_done(1) != 5) return "another size";
  bool same = store.layout().parameters == kLayout.parameters && store.layout().counters == kLayout.counters;
  std::uint64_t results = 0, points = 0, generations = 0;
  store.for_each_result([&](ResultId id, const StoredResult& r) {
    const StoredResult want = result_of(results);
    same = same && id == results++ && r.workload == want.workload && r.design == want.design && r.status == want.status &&
           r.counters == want.counters && r.proof == want.proof;
    return true;
  });
  store.for_each_points(0, [&](std::uint64_t, std::span<const ResultId> ids) {
    for (const ResultId id : ids) same = same && id == points++;
    return true;
  });
  const auto kept = store.kept_points(1);
  same = same && kept.size() == 2 && kept[0].point == 1 && kept[0].result == 7 && kept[1].point == 3 && kept[1].result == 9;
  store.for_each_generation([&](const StoredGeneration& g) {
    const StoredGeneration want = generation_of(static_cast<std::uint32_t>(generations++));
    same = same && g.genes == want.genes && g.results == want.results && g.costs == want.costs && g.requested == want.requested &&
           g.simulated == want.simulated && g.agent_state == want.agent_state;
    return true;
  });
  return same && results == 60 && points == 60 && generations == 4 ? "" : "other rows";
}

void fill(const fs::path& path) {
  RunStore store(path, kIdentity, kLayout, {{"processor", "p"}});
  for (int chunk = 0; chunk < 3; ++chunk) add_chunk(store, 20);
  store.transaction([&] {
    const KeptPoint kept[] = {{1, 7}, {3, 9}};
    store.keep_points(1, 5, kept);
    for (std::uint32_t g = 0; g < 4; ++g) store.add_generation(generation_of(g));
  });
  store.finish();
}

TEST_F(RunStoreTest, ADamagedFileGivesTheRightRowsOrAnError) {
  fill(path("good.db"));
  ASSERT_EQ(read_everything(path("good.db")), "");
  const auto size = static_cast<std::size_t>(fs::file_size(path("good.db")));
  std::mt19937_64 random(5);
  int refused = 0;
  for (int damage = 0; damage < 600; ++damage) {
    fs::copy_file(path("good.db"), path(), fs::copy_options::overwrite_existing);
    {
      std::fstream file(path(), std::ios::binary | std::ios::in | std::ios::out);
      const auto at = static_cast<std::streamoff>(random() % size);
      if (damage % 3 == 0) {  // a flipped bit
        file.seekg(at);
        const auto byte = static_cast<char>(file.get() ^ (1 << (random() % 8)));
        file.seekp(at);
        file.put(byte);
      } else if (damage % 3 == 1) {  // zeroes, up to a page of them
        const std::string zeroes(std::min(size - static_cast<std::size_t>(at), 1 + random() % 4096), '\0');
        file.seekp(at);
        file << zeroes;
      } else {
        file.close();
        fs::resize_file(path(), static_cast<std::uintmax_t>(at));
      }
    }
    std::string said;
    const std::string error = error_of([&] { said = read_everything(path()); });
    EXPECT_EQ(said, "") << "damage " << damage;
    if (error == "(no error)") continue;
    ++refused;
    EXPECT_TRUE(error.starts_with(path().string() + ":")) << error;
  }
  EXPECT_GT(refused, 300);  // the others hit what no row stands in
}

TEST_F(RunStoreTest, EveryRowIsMissed) {
  fill(path("good.db"));
  for (const char* table : {"manifest", "note", "extent", "layout", "result", "points", "kept", "swept", "generation"}) {
    const std::string from = std::string(" FROM ") + table;
    const int rows = std::stoi(sql(path("good.db"), "SELECT count(*)" + from));
    for (int row = 0; row < rows; ++row) {
      fs::copy_file(path("good.db"), path(), fs::copy_options::overwrite_existing);
      sql(path(), "DELETE" + from + " WHERE rowid = (SELECT rowid" + from + " ORDER BY rowid LIMIT 1 OFFSET " +
                      std::to_string(row) + ")");
      std::string said = "nothing was noticed";
      const std::string error = error_of([&] { said = read_everything(path()); });
      EXPECT_HAS(error, "the store is damaged") << table << " " << row << ": " << said;
    }
  }
}

TEST_F(RunStoreTest, EveryChangedValueIsNoticed) {
  fill(path("good.db"));
  for (const char* column :
       {"manifest.value",         "manifest.key",     "note.value",         "layout.name",          "layout.kind",
        "result.workload",        "result.status",    "result.reads",       "result.PagePolicy",    "result.proof",
        "points.results",         "points.first",     "kept.point",         "kept.result",          "swept.points",
        "generation.genes",       "generation.costs", "generation.results", "generation.requested", "generation.best_cost",
        "generation.agent_state", "extent.rows",      "result.id"}) {
    const std::string name = column, table = name.substr(0, name.find('.')), field = name.substr(name.find('.') + 1);
    for (const char* value : {"1234567", "-1", "x'00'", "'text'", "zeroblob(100000)"}) {
      fs::copy_file(path("good.db"), path(), fs::copy_options::overwrite_existing);
      if (field == "id" && value[0] != '1' && value[0] != '-') continue;  // SQL itself allows numbers only
      sql(path(), "UPDATE " + table + " SET " + field + " = " + value + " WHERE rowid = (SELECT max(rowid) FROM " + table + ")");
      std::string said = "nothing was noticed";
      const std::string error = error_of([&] { said = read_everything(path()); });
      EXPECT_HAS(error, "the store is damaged") << column << " = " << value << ": " << said;
    }
  }
}

TEST_F(RunStoreTest, AStoreHasTheTablesOfItsFormatAndNoOthers) {
  fill(path("good.db"));
  const auto expect_damaged = [&](const std::string& statement, const std::string& said) {
    fs::copy_file(path("good.db"), path(), fs::copy_options::overwrite_existing);
    sql(path(), statement);
    for (const std::string& message : {error_of([&] { RunStore{path()}; }), error_of([&] { (void)open(); })}) {
      EXPECT_HAS(message, said);
      EXPECT_HAS(message, "the store is damaged");
    }
  };
  expect_damaged("DROP TABLE generation", "table generation is missing");
  expect_damaged("DROP TABLE manifest", "no such table: manifest");
  expect_damaged("ALTER TABLE result ADD COLUMN more", "table result has other columns");
  expect_damaged("CREATE TRIGGER t AFTER INSERT ON points BEGIN DELETE FROM result; END", "trigger t does not belong");
  expect_damaged("DROP TABLE kept; CREATE VIEW kept AS SELECT 0, 0, 0, 0", "is missing");
}

TEST_F(RunStoreTest, AStoreThatMayNotBeWrittenIsReadOrRefusedWithTheReason) {
  fs::create_directories(path("locked"));
  fill(path("locked/finished.db"));
  {  // a reader keeps a finished store in WAL mode, without a journal
    auto store = std::make_unique<RunStore>(path("locked/read.db"), kIdentity, kLayout);
    add_chunk(*store, 3);
    const RunStore reader(path("locked/read.db"));
    store.reset();
  }
  const int status = in_child([&] {
    RunStore store(path("locked/killed.db"), kIdentity, kLayout);
    add_chunk(store, 3);
    ::kill(::getpid(), SIGKILL);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  fs::remove(path("locked/killed.db-shm"));
  constexpr fs::perms kAllRead = fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read;
  fs::permissions(path("locked"), kAllRead | fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec);
  for (const char* name : {"locked/finished.db", "locked/read.db", "locked/killed.db", "locked/killed.db-wal"}) {
    fs::permissions(path(name), kAllRead);
  }
  const int read = in_child([&] {
    constexpr uid_t kNobody = 65534;
    if (::geteuid() == 0 && ::seteuid(kNobody) != 0) ::_exit(1);  // permissions do not bind the superuser
    if (!read_everything(path("locked/finished.db")).empty()) ::_exit(2);
    if (RunStore(path("locked/read.db")).result_count() != 3) ::_exit(3);
    const std::string message = error_of([&] { RunStore{path("locked/killed.db")}; });
    ::_exit(message.find("left a part of this store in " + path("locked/killed.db").string() + "-wal") == std::string::npos ? 4
                                                                                                                            : 0);
  });
  fs::permissions(path("locked"), fs::perms::owner_all);
  EXPECT_EQ(WEXITSTATUS(read), 0);
}

}  // namespace
}  // namespace exarch
