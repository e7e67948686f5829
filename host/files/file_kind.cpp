#include "host/files/file_kind.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <system_error>
#include <vector>

#include "host/files/byte_stream.hpp"
#include "host/files/kind_words.hpp"

namespace exarch {
namespace {

// ---- by the first bytes -------------------------------------------------------------------------

struct Magic {
  std::size_t at;
  std::string_view bytes;
  FileKind kind;
};

using namespace std::string_view_literals;
constexpr std::array kMagics{
    Magic{0, "\x1F\x8B"sv, FileKind::gzip},
    Magic{0, "PK\x03\x04"sv, FileKind::zip},
    Magic{0, "PK\x05\x06"sv, FileKind::zip},
    Magic{0,
          "\xFD"
          "7zXZ\0"sv,
          FileKind::xz},
    Magic{0, "\x28\xB5\x2F\xFD"sv, FileKind::zstd},
    Magic{0, "BZh"sv, FileKind::bzip2},
    Magic{0, "7z\xBC\xAF\x27\x1C"sv, FileKind::seven_zip},
    Magic{257, "ustar"sv, FileKind::tar},
    Magic{0, "%PDF-"sv, FileKind::pdf},
    Magic{0, "\x89PNG\r\n"sv, FileKind::image},
    Magic{0, "\xFF\xD8\xFF"sv, FileKind::image},
    Magic{0, "GIF8"sv, FileKind::image},
    Magic{0,
          "\x7F"
          "ELF"sv,
          FileKind::elf},
    Magic{0, "\x89HDF\r\n"sv, FileKind::hdf5},
    Magic{0, "gem5"sv, FileKind::gem5_binary},
    Magic{0, "\xFF\xFE"sv, FileKind::utf16},
    Magic{0, "\xFE\xFF"sv, FileKind::utf16},
    Magic{0, "version https://git-lfs.github.com/"sv, FileKind::lfs_pointer},
};

FileKind sqlite_kind(std::string_view head) {
  constexpr std::size_t kApplicationId = 68;  // host/store/store_file.cpp gives stores theirs
  const std::string_view id = head.size() < kApplicationId + 4 ? "" : head.substr(kApplicationId, 4);
  return id == "EXAR" ? FileKind::run_store : id == "EXAS" ? FileKind::study_store : FileKind::sqlite;
}

// ---- by the text --------------------------------------------------------------------------------

bool has_prefix_in_any_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), text.begin(), [](char a, char b) {
           return a == std::tolower(static_cast<unsigned char>(b));
         });
}

std::string_view first_line(std::string_view text, std::string_view comment) {
  return take_line(text, comment);
}

// "key": at the beginning of an object, behind the brace and blanks; "" where there is none.
std::string_view first_key(std::string_view object) {
  object = trimmed(object.substr(1));
  if (!object.starts_with('"')) return "";
  const std::size_t end = object.find('"', 1);
  return end == std::string_view::npos ? "" : object.substr(1, end - 1);
}

FileKind json_kind(std::string_view text) {
  struct Key {
    std::string_view first;
    FileKind kind;
  };
  constexpr std::array kKeys{Key{"simulation", FileKind::simulation},
                             Key{"memspec", FileKind::memspec},
                             Key{"memarchitecturespec", FileKind::memspec},
                             Key{"mempowerspec", FileKind::memspec},
                             Key{"memtimingspec", FileKind::memspec},
                             Key{"memoryId", FileKind::memspec},
                             Key{"memoryType", FileKind::memspec},
                             Key{"CONGEN", FileKind::mapping},
                             Key{"addressmapping", FileKind::mapping},
                             Key{"mcconfig", FileKind::controller},
                             Key{"simconfig", FileKind::simulation_settings},
                             Key{"thermalsimconfig", FileKind::simulation_settings}};
  const std::string_view first = first_key(text);
  for (const Key& key : kKeys) {
    if (key.first == first) return key.kind;
  }
  const auto has = [text](std::string_view key) { return text.find(key) != std::string_view::npos; };
  if (has("\"layer\"") && has("\"directives\"")) return FileKind::problems;
  if (has("\"ROW_BIT\"") && has("\"COLUMN_BIT\"")) return FileKind::mapping;
  if (is_one_of(first, {"name", "doc", "parameters"}) && has("\"parameters\"")) return FileKind::space;
  return FileKind::json;
}

FileKind maestro_kind(std::string_view text) {
  const std::string_view line = first_line(text, "//");
  const std::string_view word = line.substr(0, line.find_first_of(" \t{:"));
  const std::string_view rest = trimmed(line.substr(word.size()));
  const bool block = text.find('{') != std::string_view::npos;
  if (block && is_one_of(word, {"Network", "Constant"})) return FileKind::maestro_network;
  if (block && word == "Dataflow") return FileKind::maestro_dataflow;
  if (is_one_of(word, {"num_pes", "l1_size_cstr", "l2_size_cstr", "noc_bw_cstr", "offchip_bw_cstr"}) && rest.starts_with(':')) {
    return FileKind::maestro_hardware;
  }
  return FileKind::unknown;
}

FileKind table_kind(std::string_view text) {
  std::string_view header = take_line(text, "#");
  if (header.starts_with("\xEF\xBB\xBF")) header.remove_prefix(3);
  const Words columns = split_at(header, ",");
  if (columns.size() < 2) return FileKind::unknown;
  const auto has = [&columns](std::string_view name) { return std::ranges::find(columns, name) != columns.end(); };
  const auto has_all = [&has](std::initializer_list<std::string_view> names) { return std::ranges::all_of(names, has); };
  if (has_all({"K", "C", "Y", "X", "R", "S"})) return FileKind::layer_table;
  if (has_all({"M", "N", "K", "T"})) return FileKind::product_table;
  const bool words = std::ranges::all_of(columns, [](std::string_view column) {
    return !column.empty() && (std::isalpha(static_cast<unsigned char>(column[0])) != 0 || column[0] == '"');
  });
  const bool plain = header.find_first_of("{}[]=") == std::string_view::npos;
  const bool rectangular = split_at(take_line(text, "#"), ",").size() == columns.size();
  return words && plain && rectangular ? FileKind::csv : FileKind::unknown;
}

FileKind plan_kind(std::string_view text) {
  const bool agents = text.find("[[agents]]") != std::string_view::npos;
  const std::string_view line = first_line(text, "#");
  const bool assigns = line.find('=') != std::string_view::npos;
  const std::string_view key = trimmed(line.substr(0, line.find('=')));
  const bool known = is_one_of(key, {"name", "doc", "environment", "space", "objectives", "costs", "seeds"});
  return assigns && (agents || known) ? FileKind::plan : FileKind::unknown;
}

// ---- what is said about it ----------------------------------------------------------------------

struct Description {
  FileKind kind;
  const char* name;
  const char* advice;
};

constexpr const char* kUnpack = "unpack it and give the file inside";
constexpr const char* kNotText = "give the text file itself";
constexpr const char* kConvert = "it belongs behind --trace, and exarch trace convert reads it";

constexpr std::array kDescriptions{
    Description{FileKind::lfs_pointer, "a Git LFS pointer, which stands for a file that has not been fetched",
                "fetch the file itself: git lfs pull"},
    Description{FileKind::html, "an HTML page", "download the file itself (on GitHub: Raw)"},
    Description{FileKind::xml, "an XML file", kNotText},
    Description{FileKind::zip, "a zip archive", kUnpack},
    Description{FileKind::xz, "a file compressed by xz", "decompress it: xz -d FILE"},
    Description{FileKind::zstd, "a file compressed by zstd", "decompress it: zstd -d FILE"},
    Description{FileKind::bzip2, "a file compressed by bzip2", "decompress it: bzip2 -d FILE"},
    Description{FileKind::seven_zip, "a 7z archive", kUnpack},
    Description{FileKind::tar, "a tar archive", kUnpack},
    Description{FileKind::pdf, "a PDF document", kNotText},
    Description{FileKind::image, "a picture", kNotText},
    Description{FileKind::elf, "a program or library (ELF)", kNotText},
    Description{FileKind::hdf5, "an HDF5 file", kNotText},
    Description{FileKind::sqlite, "an SQLite database of another program", kNotText},
    Description{FileKind::utf16, "text in UTF-16", "save it as UTF-8"},
    Description{FileKind::gem5_binary, "a gem5 packet trace in binary form (protobuf)", kConvert},
    Description{FileKind::gzip, "a file compressed by gzip", "decompress it: gunzip FILE"},
    Description{FileKind::run_store, "a run store of exarch", "exarch best, export and report read stores"},
    Description{FileKind::study_store, "a study's store of exarch", "exarch study and report read it"},
    Description{FileKind::simulation, "a DRAMSys simulation file",
                "it belongs behind --simulation, for exarch eval, sweep and search dram"},
    Description{FileKind::memspec, "a DRAMSys memory specification", "it belongs behind --memspec"},
    Description{FileKind::mapping, "a DRAMSys address mapping", "it belongs behind --addressmapping"},
    Description{FileKind::controller, "a DRAMSys controller configuration (mcconfig)", "it belongs behind --mcconfig"},
    Description{FileKind::simulation_settings, "a DRAMSys file of simulation settings", "nothing of it is needed"},
    Description{FileKind::space, "a design space file", "it belongs behind --space"},
    Description{FileKind::problems, "a file of recorded problems",
                "recorded problems are read from files named .jsonl or .jsonl.gz, by exarch eval maestro --in"},
    Description{FileKind::json, "a JSON file", "check the name"},
    Description{FileKind::plan, "a study plan", "it belongs behind exarch study, named *.toml"},
    Description{FileKind::maestro_network, "a MAESTRO network",
                "name it *.m; it belongs behind --model, with mappings behind exarch eval maestro --in"},
    Description{FileKind::maestro_dataflow, "a MAESTRO dataflow without a network",
                "put it into a layer: Network n { Layer l { Type: CONV Dimensions { ... } Dataflow { ... } } }"},
    Description{FileKind::maestro_hardware, "a MAESTRO hardware file", "give its values by --set"},
    Description{FileKind::layer_table, "a table of layers", "it belongs behind --model, named *.csv"},
    Description{FileKind::product_table, "a table of matrix products in GAMMA's form (M, N, K)",
                "write it as a table of layers: K,C,Y,X,R,S,T with K = M, C = N, Y = K, X = R = S = 1 and T = 3"},
    Description{FileKind::csv, "a CSV table", "check the name"},
    Description{FileKind::trace_stl, "a DRAMSys trace (.stl, .rstl)", "it belongs behind --trace"},
    Description{FileKind::trace_dramsim3, "a DRAMsim trace (address, command, cycle)", kConvert},
    Description{FileKind::trace_ramulator, "a Ramulator memory trace", kConvert},
    Description{FileKind::trace_gem5, "a gem5 packet trace as text", kConvert},
    Description{FileKind::trace_dramsim2_misc, "a DRAMSim2 trace without times (misc)", kConvert},
    Description{FileKind::trace_lackey, "a list of memory accesses of Valgrind's lackey", kConvert},
    Description{FileKind::trace_pin, "a list of memory accesses of Pin's pinatrace", kConvert},
    Description{FileKind::trace_champsim, "a ChampSim trace", kConvert},
    Description{FileKind::trace_scalesim, "a SCALE-Sim trace", kConvert},
    Description{FileKind::trace_csv, "a table of memory requests", kConvert},
    Description{FileKind::trace_cpu, "a CPU trace (USIMM, Ramulator): instructions between memory accesses, not times",
                "run it through a processor model; a trace of memory requests needs their times"},
};

const Description* description_of(FileKind kind) {
  const auto* found = std::ranges::find(kDescriptions, kind, &Description::kind);
  return found == kDescriptions.end() ? nullptr : found;
}

}  // namespace

FileKind kind_of(std::string_view head) {
  head = head.substr(0, kKindBytes);
  if (head.starts_with("SQLite format 3")) return sqlite_kind(head);
  for (const Magic& magic : kMagics) {
    if (head.size() >= magic.at && head.substr(magic.at).starts_with(magic.bytes)) return magic.kind;
  }
  if (is_champsim(head)) return FileKind::trace_champsim;
  std::string_view text = head;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark
  text = trimmed(text);
  if (has_prefix_in_any_case(text, "<!doctype html") || has_prefix_in_any_case(text, "<html")) return FileKind::html;
  if (text.starts_with("<?xml")) {
    return text.find("<html") != std::string_view::npos ? FileKind::html : FileKind::xml;
  }
  if (text.starts_with('{')) return json_kind(text);
  if (text.starts_with('[') && trimmed(text.substr(1)).starts_with('{')) return FileKind::json;
  for (const auto& look : {trace_kind, maestro_kind, plan_kind, table_kind}) {
    if (const FileKind kind = look(text); kind != FileKind::unknown) return kind;
  }
  return FileKind::unknown;
}

FileKind kind_of_file(const std::filesystem::path& path, bool decompress) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none)) return FileKind::unknown;
  std::string head(kKindBytes, '\0');
  std::size_t size = 0;
  if (decompress) {
    try {
      ByteStream stream(path);
      while (const std::size_t got = stream.read(head.data() + size, head.size() - size)) size += got;
    } catch (const Error&) {  // damaged: of what was read, the kind is still to be told
    }
  } else {
    std::ifstream file(path, std::ios::binary);
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    size = static_cast<std::size_t>(file.gcount());
  }
  return kind_of(std::string_view(head).substr(0, size));
}

std::string name_of(FileKind kind) {
  const Description* description = description_of(kind);
  return description == nullptr ? "" : description->name;
}

bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code none;
  return std::filesystem::equivalent(a, b, none) && !none;
}

std::string foreign_file(const std::filesystem::path& path, std::initializer_list<FileKind> own, const std::string& expected) {
  // A reader that takes compressed files says so by having gzip among its own kinds.
  const FileKind kind = kind_of_file(path, std::ranges::find(own, FileKind::gzip) != own.end());
  const Description* description = description_of(kind);
  if (description == nullptr || std::ranges::find(own, kind) != own.end()) return "";
  return path.string() + ": is " + description->name + ", where " + expected + " is expected; " + description->advice;
}

}  // namespace exarch
