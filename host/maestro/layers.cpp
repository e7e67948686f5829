#include "host/maestro/layers.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "host/error.hpp"
#include "host/files/file_kind.hpp"
#include "host/files/line_reader.hpp"
#include "host/maestro/file.hpp"

namespace exarch::maestro {
namespace {

constexpr std::array<std::string_view, 7> kColumns{"K", "C", "Y", "X", "R", "S", "T"};
enum Column : std::size_t { kK, kC, kY, kX, kR, kS, kT };
using Row = std::array<std::int32_t, kColumns.size()>;

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    const std::size_t comma = line.find(',');
    std::string_view field = line.substr(0, comma);
    while (!field.empty() && (field.front() == ' ' || field.front() == '\t')) field.remove_prefix(1);
    while (!field.empty() && (field.back() == ' ' || field.back() == '\t')) field.remove_suffix(1);
    fields.push_back(field);
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

// Which column each field is.
std::vector<std::size_t> header_of(const LineReader& lines, std::string_view line) {
  std::vector<std::size_t> columns;
  if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  const auto fields = fields_of(line);
  if (fields.size() == kColumns.size() && fields[0] == "M" && fields[1] == "N" && fields[2] == "K") {
    lines.fail(
        "this is GAMMA's table of matrix products, M x K times K x N, whose columns GAMMA reads by position, whatever the header "
        "says; "
        "write K,C,Y,X,R,S,T as its first line, so that M, N and K of a row with T = 3 stand under K, C and Y");
  }
  for (const std::string_view field : fields) {
    const auto it = std::ranges::find(kColumns, field);
    if (it == kColumns.end() && (field == "groups" || field == "G" || field == "Groups")) {
      lines.fail(
          "a table has no column '" + std::string(field) +
          "'; a depthwise layer is a row with T = 2, K = 1 and its channels under C, other grouped convolutions are read from .m "
          "files (NGCONV)");
    }
    if (it == kColumns.end()) lines.fail("unknown column '" + escaped(field) + "'; a table of layers has K, C, Y, X, R, S and T");
    const auto column = static_cast<std::size_t>(it - kColumns.begin());
    if (std::ranges::find(columns, column) != columns.end()) lines.fail("column '" + std::string(field) + "' appears twice");
    columns.push_back(column);
  }
  if (columns.size() != kColumns.size()) lines.fail("a table of layers has the columns K, C, Y, X, R, S and T");
  return columns;
}

Layer layer_of(const LineReader& lines, const Row& row) {
  Layer layer{};
  for (std::int32_t& stride : layer.stride) stride = 1;
  const auto declare = [&layer](std::int32_t k, std::int32_t c, std::int32_t y, std::int32_t x, std::int32_t r, std::int32_t s) {
    const std::pair<Dim, std::int32_t> sizes[] = {{Dim::K, k}, {Dim::C, c}, {Dim::Y, y}, {Dim::X, x}, {Dim::R, r}, {Dim::S, s}};
    for (const auto& [dim, size] : sizes) layer.size[index_of(dim)] = size;
  };
  layer.type = row[kT] == 2 ? LayerType::dsconv : LayerType::conv;
  // What such a row leaves out must be 1: anything else would be left out without a word.
  const auto only_ones = [&](std::initializer_list<Column> columns, const std::string& what) {
    for (const Column column : columns) {
      if (row[column] == 1) continue;
      lines.fail(what + "; " + std::string(kColumns[column]) + " = " + std::to_string(row[column]) +
                 " would have no effect, write 1");
    }
  };
  switch (row[kT]) {
    case 0:
      only_ones({kY, kX, kR, kS},
                "T = 0 is a fully connected layer of K outputs and C inputs (of an input of several rows and columns, C is the "
                "product of "
                "all sizes, or the layer a convolution, T = 1, with a filter as large as the input)");
      declare(row[kK], row[kC], 1, 1, 1, 1);
      break;
    case 1:
    case 2:
      declare(row[kK], row[kC], row[kY], row[kX], row[kR], row[kS]);
      break;
    case 3:
      only_ones({kX, kR, kS}, "T = 3 is a matrix product with M, N and K under K, C and Y");
      declare(row[kC], row[kY], row[kK], 1, 1, 1);
      break;
    default:
      lines.fail("T = " + std::to_string(row[kT]) +
                 "; layers are of type 0 (fully connected), 1 (convolution), 2 (depthwise) or 3 (product)");
  }
  for (const auto& [input, filter] : {std::pair{Dim::Y, Dim::R}, std::pair{Dim::X, Dim::S}}) {
    if (layer.size[index_of(filter)] > layer.size[index_of(input)]) lines.fail("the filter is larger than the input");
  }
  return layer;
}

std::vector<LayerEntry> read_table(const std::filesystem::path& path) {
  LineReader lines(path, "64,3,224,224,7,7,1");
  std::string_view line;
  std::vector<std::size_t> columns;
  std::vector<LayerEntry> layers;
  while (lines.next(line)) {
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    if (columns.empty()) {
      columns = header_of(lines, line);
      continue;
    }
    const auto fields = fields_of(line);
    if (fields.size() != columns.size())
      lines.fail(std::to_string(fields.size()) + " values for " + std::to_string(columns.size()) + " columns");
    Row row{};
    for (std::size_t f = 0; f < fields.size(); ++f) {
      std::uint64_t value = 0;
      const bool number = parse_decimal(fields[f], value) == Parsed::ok;
      const bool type = columns[f] == kT;
      if (!number || value > 1'000'000 || (value == 0 && !type)) {
        lines.fail(std::string(kColumns[columns[f]]) + " = '" + escaped(fields[f]) + "' is not a whole number from 1 to 1000000");
      }
      row[columns[f]] = static_cast<std::int32_t>(value);
    }
    layers.push_back({"", layer_of(lines, row)});
    if (const std::string fault = two_meanings(layers.back().layer); !fault.empty()) lines.fail(fault);
  }
  if (layers.empty()) throw Error(lines.path() + ": no layers; a table starts with K,C,Y,X,R,S,T and has a line per layer");
  return layers;
}

}  // namespace

std::vector<LayerEntry> read_layers(const std::filesystem::path& path) {
  if (uncompressed_name(path).extension() == ".csv") {
    return named_if_foreign(path, {FileKind::layer_table, FileKind::product_table, FileKind::csv, FileKind::gzip},
                            "a table of layers (.csv)", [&] { return read_table(path); });
  }
  std::vector<LayerEntry> layers;
  for (const NamedLayer& layer : read_network_file(path.string()).layers) {
    if (const std::string fault = two_meanings(layer.layer); !fault.empty()) {
      throw Error(path.string() + ":" + std::to_string(layer.line) + ": layer '" + layer.name + "': " + fault);
    }
    layers.push_back({layer.name, layer.layer});
  }
  return layers;
}

std::string two_meanings(const Layer& layer) {
  const std::int32_t k = layer.size[index_of(Dim::K)], c = layer.size[index_of(Dim::C)];
  if (layer.type != LayerType::dsconv || k <= 1 || k == c) return "";
  const std::string given =
      "a depthwise layer with K = " + std::to_string(k) + " and C = " + std::to_string(c) + " has two meanings: ";
  const std::string maestro =
      "MAESTRO counts the C = " + std::to_string(c) + (c == 1 ? " channel" : " channels") + " and leaves K out";
  if (c == 1) {
    return given + maestro + ", in PyTorch's style (groups = " + std::to_string(k) + ") it is " + std::to_string(k) +
           " channels; C is the number of channels: write K = 1, C = " + std::to_string(k) + " for " + std::to_string(k) +
           " channels, or K = 1, C = 1 for one";
  }
  return given + maestro +
         ", elsewhere K is the number of outputs; C is the number of channels, each with one filter: write K = 1, C = " +
         std::to_string(c) + " for " + std::to_string(c) + " channels, or K = 1, C = " + std::to_string(k) + " for " +
         std::to_string(k);
}

}  // namespace exarch::maestro
