// Stores of runs and studies. They are made here, by the program itself, so that they are of today's format; an input says what
// is done to one before the verbs that read stores see it.
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <sstream>

#include "host/error.hpp"
#include "host/store/run_store.hpp"
#include "host/study/study_store.hpp"
#include "tests/fuzz/target.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSpace =
    R"({"name": "small", "parameters": {"PagePolicy": ["Open", "Closed"], "RequestBufferSize": [1, 4], "Scheduler": ["Fifo", "FrFcfs"]}})";
constexpr std::string_view kNetwork =
    "Network net {\nLayer a { Type: CONV Dimensions { K: 4, C: 3, R: 3, S: 3, Y: 8, X: 8 } }\n"
    "Layer b { Type: CONV Dimensions { K: 8, C: 4, R: 1, S: 1, Y: 6, X: 6 } }\n}\n";
constexpr std::string_view kPlan =
    "name = \"fuzz\"\nenvironment = \"dram\"\nobjectives = [\"latency\", \"energy\"]\ncosts = \"simulation\"\nseeds = 2\n"
    "[workload]\ntrace = [\"ranktest\"]\n[[agents]]\nagent = \"random\"\npopulation = 4\ngenerations = 2\n"
    "[[agents]]\nagent = \"ga\"\npopulation = [4, 6]\ngenerations = 2\n";

struct Seed {
  std::string bytes;
  bool study;
  std::string rows;  // what is in it, as text
};

// What a store says is in it, or `refused`.
std::string rows_of(const fs::path& path, bool study, const std::string& refused) {
  std::ostringstream text;
  const auto add = [&text](const auto& values) {
    for (const auto value : values) text << value << ' ';
    text << '\n';
  };
  text.precision(17);
  try {
    if (study) {
      const StudyStore store(path);
      for (const StoredProblem& p : store.problems()) text << p.workload << ' ' << p.objective << ' ' << p.optimum << '\n';
      for (const StoredConfiguration& c : store.configurations())
        text << c.label << ' ' << c.evaluations << ' ' << c.parameters << '\n';
      store.for_each_cell([&](std::uint32_t configuration, std::uint32_t problem, const StoredCell& cell) {
        text << configuration << ' ' << problem << '\n';
        add(cell.improvements);
        add(cell.requested);
        add(cell.best_point);
        add(cell.reported);
        add(cell.evaluation);
        add(cell.cost);
        return true;
      });
    } else {
      const RunStore store(path);
      for (const auto& [key, value] : store.identity()) text << key << ' ' << value << '\n';
      store.for_each_result([&](ResultId id, const StoredResult& result) {
        text << id << ' ' << result.workload << ' ' << int{result.status} << '\n';
        add(result.design);
        add(result.counters);
        return true;
      });
      store.for_each_points(0, [&](std::uint64_t first, std::span<const ResultId> results) {
        text << first << '\n';
        add(results);
        return true;
      });
      for (const KeptPoint& kept : store.kept_points(0)) text << kept.point << ' ' << kept.result << '\n';
      store.for_each_generation([&](const StoredGeneration& generation) {
        text << generation.generation << ' ' << generation.requested << ' ' << generation.simulated << '\n';
        add(generation.genes);
        add(generation.results);
        add(generation.costs);
        return true;
      });
    }
  } catch (const Error&) {
    return refused;
  }
  return text.str();
}

Seed made_by(const cli::Verb& verb, std::vector<std::string> words) {
  const std::string path = scratch("seed.db").string();
  words.insert(words.end(), {"--out", path, "--threads", "1"});
  require(run_verb(verb, std::move(words)) == 0, "a store can be made");
  Seed seed{read_file(path), is_store_of(path, StoreKind::study), ""};
  seed.rows = rows_of(path, seed.study, "");
  require(!seed.rows.empty(), "a store that was made can be read");
  fs::remove(path);
  return seed;
}

// What an input's first byte chooses from.
const std::vector<Seed>& seeds() {
  static const std::vector<Seed> kSeeds = [] {
    using namespace cli;
    const std::string space = write_scratch("small.json", kSpace).string(), network = write_scratch("net.m", kNetwork).string(),
                      plan = write_scratch("plan.toml", kPlan).string();
    const std::vector<std::string> sweep{"dram", "--trace", "ranktest", "--space", space};
    const auto with = [&sweep](std::vector<std::string> more) {
      more.insert(more.begin(), sweep.begin(), sweep.end());
      return more;
    };
    return std::vector<Seed>{
        made_by(kSweepVerb, with({"--all"})),
        made_by(kSweepVerb, with({"--all", "--keep", "best", "--objective", "energy", "--top", "3"})),
        made_by(kSearchVerb,
                {"dram", "--trace", "ranktest", "--population", "4", "--generations", "3", "--objective", "latency"}),
        made_by(kSearchVerb, {"maestro", "--model", network, "--population", "4", "--generations", "2"}),
        made_by(kStudyVerb, {plan}),
    };
  }();
  return kSeeds;
}

// The verbs that look at a store and change none. A committed input is seen by all of them, one that is made up by the verb its
// bytes choose: to open a store is most of the work, and many inputs find more than many verbs. A verb that refuses the store
// ends with an Error.
void read_store(const fs::path& path, bool study, std::string_view input) {
  using namespace cli;
  const std::string store = path.string(), out = scratch("out").string();
  struct Command {
    const Verb& verb;
    std::vector<std::string> words;
  };
  const Command report{kReportVerb, {store, "--out", out}};
  const auto commands =
      study ? std::vector<Command>{{kStudyVerb, {store, "--json"}}, {kStudyVerb, {store}}, report}
            : std::vector<Command>{
                  {kBestVerb, {store, "--json"}}, {kExportVerb, {store, "--out", out}}, {kRankVerb, {store}}, report};
  const std::size_t chosen = fuzzing ? std::hash<std::string_view>{}(input) % commands.size() : commands.size();
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (chosen < commands.size() && i != chosen) continue;
    try {
      (void)run_verb(commands[i].verb, commands[i].words);
    } catch (const Error&) {
    }
  }
}

class Cursor {
 public:
  explicit Cursor(std::string_view input) : left_(input) {}
  [[nodiscard]] bool empty() const { return left_.empty(); }
  std::uint8_t byte() { return static_cast<std::uint8_t>(take(1)[0]); }
  std::uint32_t number(std::size_t bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value |= std::uint32_t{byte()} << (8 * i);
    return value;
  }
  std::string take(std::size_t count) {  // zeros behind the end
    std::string text(left_.substr(0, count));
    left_.remove_prefix(text.size());
    text.resize(count);
    return text;
  }

 private:
  std::string_view left_;
};

// Bytes: ('F', a file) or (seed, then changes: kind, place in three bytes, ...).
void store_bytes(std::string_view input) {
  Cursor cursor(input);
  const std::uint8_t first = cursor.byte();
  if (first == 'F') {
    const fs::path path = write_scratch("bytes.db", input.substr(1));
    for (const StoreKind kind : {StoreKind::run, StoreKind::study}) {
      if (is_store_of(path, kind)) read_store(path, kind == StoreKind::study, input);
    }
    (void)RunStore(path);
    return;
  }
  const Seed& seed = seeds()[first % seeds().size()];
  std::string bytes = seed.bytes;
  int changes = 0;
  while (!cursor.empty() && !bytes.empty()) {
    ++changes;
    const std::uint8_t kind = cursor.byte();
    const std::size_t place = cursor.number(3) % bytes.size();
    switch (kind % 4) {
      case 0:
        bytes[place] = static_cast<char>(bytes[place] ^ cursor.byte());
        break;
      case 1:
        bytes.resize(place);
        break;
      case 2:
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(place),
                    std::min<std::size_t>(cursor.byte() * 16u, bytes.size() - place), '\0');
        break;
      default: {
        const std::string text = cursor.take(cursor.byte() % 16u);
        bytes.replace(place, std::min(text.size(), bytes.size() - place), text);
      }
    }
  }
  const fs::path path = write_scratch("bytes.db", bytes);
  read_store(path, seed.study, input);
  // With several changes a checksum may fit by design.
  if (changes <= 1) require(rows_of(path, seed.study, seed.rows) == seed.rows, "a damaged store gives its rows or an error");
}

struct Handle {
  sqlite3* db = nullptr;
  explicit Handle(const fs::path& path) {
    require(sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK, "a store opens");
    // What an input says may be slow or large, too.
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 1 << 20);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_progress_handler(
        db, 100'000, [](void*) { return 1; }, nullptr);
    sqlite3_exec(db, "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; PRAGMA ignore_check_constraints = ON", nullptr,
                 nullptr, nullptr);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { sqlite3_close(db); }

  // Whether it can be done is SQLite's business: keys stay unique.
  void run(const std::string& sql) const { sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr); }
  [[nodiscard]] std::vector<std::string> texts(const std::string& sql) const {
    std::vector<std::string> found;
    sqlite3_exec(
        db, sql.c_str(),
        [](void* all, int, char** values, char**) {
          static_cast<std::vector<std::string>*>(all)->emplace_back(values[0] != nullptr ? values[0] : "");
          return 0;
        },
        &found, nullptr);
    return found;
  }
};

std::string hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "x'";
  for (const char c : bytes) text += {kDigits[static_cast<unsigned char>(c) >> 4], kDigits[c & 15]};
  return text + "'";
}

// A value as SQL: special numbers, any number, a text, a blob, nothing, or the column's own, changed.
std::string value_of(Cursor& cursor, const std::string& column) {
  static constexpr std::array<const char*, 12> kSpecial{
      "0",     "1",     "-1", "2", "65535", "4294967295", "4294967296", "9223372036854775807", "-9223372036854775808",
      "1e308", "9e999", "0.5"};
  switch (cursor.byte() % 10) {
    case 0:
      return kSpecial[cursor.byte() % kSpecial.size()];
    case 1:
      return std::to_string(cursor.number(2));
    case 2:
      return std::to_string(static_cast<std::int32_t>(cursor.number(4)));
    case 3:
      return "CAST(" + hex(cursor.take(cursor.byte() % 64u)) + " AS TEXT)";
    case 4:
      return hex(cursor.take(cursor.byte() % 64u));
    case 5:
      return "NULL";
    case 6:
      return "zeroblob(" + std::to_string(cursor.number(2)) + ")";
    case 7:
      return column + " + " + std::to_string(static_cast<std::int8_t>(cursor.byte()));
    case 8: {  // a part of it replaced
      const std::string at = std::to_string(cursor.byte());
      const std::string bytes = hex(cursor.take(cursor.byte() % 8u));
      return "CAST(substr(" + column + ", 1, " + at + ") || " + bytes + " || substr(" + column + ", " + at + " + 1 + length(" +
             bytes + ")) AS BLOB)";
    }
    default: {
      const std::string at = std::to_string(cursor.byte());
      const std::string bytes = hex(cursor.take(cursor.byte() % 16u));
      return "CAST(substr(" + column + ", 1, " + at + ") || " + bytes + " || substr(" + column + ", " + at + " + 1 + length(" +
             bytes + ")) AS TEXT)";
    }
  }
}

// One change: what, table, column, row, and what that takes.
void edit(const Handle& handle, Cursor& cursor) {
  const std::uint8_t what = cursor.byte();
  const auto tables = handle.texts("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
  if (tables.empty()) return;
  const std::string table = "\"" + tables[cursor.byte() % tables.size()] + "\"";
  const auto columns = handle.texts("SELECT '\"' || name || '\"' FROM pragma_table_info(" + table + ")");
  if (columns.empty()) return;
  const std::string& column = columns[cursor.byte() % columns.size()];
  const std::string where = " WHERE rowid = (SELECT rowid FROM " + table + " ORDER BY rowid LIMIT 1 OFFSET " +
                            std::to_string(cursor.byte() % 32u) + ")";
  switch (what % 8) {
    case 0:
      return handle.run("DELETE FROM " + table + where);
    case 1:
      return handle.run("DELETE FROM " + table);
    case 2:
      return handle.run("UPDATE " + table + " SET " + column + " = " + value_of(cursor, column));
    case 3:
      return handle.run("PRAGMA user_version = " + std::to_string(cursor.byte()));
    case 4:
      return handle.run(cursor.byte() < 128 ? "DROP TABLE " + table : "ALTER TABLE " + table + " RENAME TO other");
    default:
      return handle.run("UPDATE " + table + " SET " + column + " = " + value_of(cursor, column) + where);
  }
}

// Whoever edits a store on purpose can write checksums, too: those of all rows, and how many rows tables have, are set right.
void sign(const fs::path& path, bool counts) {
  const std::string name = path.string();
  const sqlite::Database db = sqlite::open(name, name, SQLITE_OPEN_READWRITE);
  const auto sign_table = [&](const std::string& table) {
    std::vector<std::pair<std::int64_t, std::int64_t>> sums;  // rowid, checksum
    sqlite::Statement row(name, db.get(), "SELECT rowid, * FROM \"" + table + "\"");
    while (row.step()) {
      sqlite::Checksum sum(table);
      for (int c = 1; c + 1 < row.columns(); ++c) row.add_to(sum, c);
      sums.emplace_back(row.integer(0), sum.value());
    }
    sqlite::Statement update(name, db.get(), "UPDATE \"" + table + "\" SET checksum = ? WHERE rowid = ?");
    for (const auto& [id, sum] : sums) {
      update.bind(sum);
      update.bind(id);
      update.step();
    }
    return sums.size();
  };
  const auto attempt = [](const auto& body) {
    try {
      body();
    } catch (const Error&) {  // a table without a checksum, or that nobody can read
    }
  };
  attempt([&] {
    std::vector<std::string> tables;
    sqlite::Statement row(name, db.get(), "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'extent'");
    while (row.step()) tables.push_back(row.text(0));
    sqlite::execute(name, db.get(), "PRAGMA synchronous = OFF; BEGIN");
    for (const std::string& table : tables) {
      attempt([&] {
        const std::size_t rows = sign_table(table);
        if (!counts) return;
        sqlite::Statement extent(name, db.get(), "UPDATE extent SET rows = ? WHERE name = ?");
        extent.bind(static_cast<std::int64_t>(rows));
        extent.bind(std::string_view(table));
        extent.step();
      });
    }
    attempt([&] { sign_table("extent"); });
    sqlite::execute(name, db.get(), "COMMIT");
  });
}

// Rows: (seed and kind of signature, then edits: what, table, column, row ...), done with SQL; or SQL itself, as "2 UPDATE ...":
// a digit for the seed, and ' ' = checksums and numbers of rows are set right, '=' = checksums alone, '!' = neither.
void store_rows(std::string_view input) {
  constexpr std::string_view kSignatures = " =!";
  const bool sql = input.size() >= 2 && input[0] >= '0' && input[0] <= '9' && kSignatures.find(input[1]) != kSignatures.npos;
  Cursor cursor(input);
  const std::uint8_t first = cursor.byte();
  const std::size_t signature = sql ? kSignatures.find(input[1]) : first / seeds().size() % kSignatures.size();
  const Seed& seed = seeds()[static_cast<std::size_t>(sql ? first - '0' : first) % seeds().size()];
  const fs::path path = write_scratch("rows.db", seed.bytes);
  {
    const Handle handle(path);
    handle.run("BEGIN");
    if (sql) {
      handle.run(std::string(input.substr(2)));
      cursor = Cursor("");
    }
    for (int edits = 0; edits < 16 && !cursor.empty(); ++edits) edit(handle, cursor);
    handle.run("COMMIT");
  }
  if (signature < 2) sign(path, signature == 0);
  read_store(path, seed.study, input);
}

}  // namespace

std::vector<Target> store_targets() {
  return {{"store_bytes", store_bytes}, {"store_rows", store_rows}};
}

}  // namespace exarch::fuzz
