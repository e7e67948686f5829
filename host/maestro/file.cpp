#include "host/maestro/file.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <utility>

#include "host/error.hpp"
#include "host/files/byte_stream.hpp"
#include "host/files/file_kind.hpp"
#include "host/files/line_reader.hpp"
#include "host/files/text.hpp"

namespace exarch::maestro {
namespace {

constexpr std::array<std::string_view, kDims> kDimNames{"C", "G", "K", "M", "N", "R", "S", "X", "X'", "Y", "Y'"};
constexpr std::array<std::string_view, 5> kTypeNames{"CONV", "DSCONV", "NGCONV", "GEMM", "TRCONV"};
// The order in which MAESTRO's own files name dimensions.
constexpr std::array kWrittenOrder{Dim::N, Dim::G, Dim::K, Dim::C, Dim::M, Dim::R, Dim::S, Dim::Y, Dim::X, Dim::Yo, Dim::Xo};
constexpr char kAllDims[] = "N, G, K, C, M, R, S, Y, X, Y' and X'";
constexpr std::int32_t kMaxNumber = std::numeric_limits<std::int32_t>::max();

using Words = std::vector<std::string>;
const Words kTopWords{"Constant", "Network"};
const Words kNetworkWords{"Layer"};
const Words kLayerWords{"Type", "Stride", "Dimensions", "Dataflow"};
const Words kDataflowWords{"TemporalMap", "SpatialMap", "Cluster"};
const Words kTypeWords{kTypeNames.begin(), kTypeNames.end()};

bool is_one_of(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// As bytes: a typographic apostrophe is to be seen as what it is.
std::string in_quotes(std::string_view word) {
  return "'" + escaped(word, 40) + "'";
}

// What keeps a text from being one word of the language, with its remedy; "" for a word.
std::string flaw_of(std::string_view word) {
  const bool control = std::any_of(word.begin(), word.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
  if (control) return "holds a control character; is this a text file?";
  if (!is_utf8(word)) return "is not UTF-8; save the file as UTF-8";
  if (word != "{" && word != "}" && word.find_first_of("{}") != std::string_view::npos) {
    return "contains a brace, which MAESTRO only sees alone; put blanks around it";
  }
  if (word.find("//") != std::string_view::npos) {
    return "contains \"//\", which starts a comment only in front of a word; put a blank before it";
  }
  return "";
}

// ---- words of the text --------------------------------------------------------------------------

struct Token {
  std::string_view text;
  std::size_t line = 0;
  bool minus = false;  // a '-' that is not part of "->" stands before it
};

class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // byte order mark
  }

  // The next word that is not part of a comment; false at the end.
  bool next(Token& token) {
    token.minus = false;
    for (;;) {
      while (at_ < text_.size() && is_separator(at_)) pass_separator(token);
      if (at_ == text_.size()) return false;
      if (!text_.substr(at_).starts_with("//")) break;
      at_ = std::min(text_.find('\n', at_), text_.size());
    }
    const std::size_t start = at_;
    while (at_ < text_.size() && !is_separator(at_)) ++at_;
    token.text = text_.substr(start, at_ - start);
    token.line = line_;
    return true;
  }

  // Of the word that next() gave; at the end, of the last line.
  [[nodiscard]] std::size_t line() const { return line_; }

 private:
  [[nodiscard]] bool is_separator(std::size_t at) const {
    if (text_[at] == '\r') return at + 1 == text_.size() || text_[at + 1] == '\n';
    return text_[at] != '\0' && std::strchr(" ,->():\t;\n", text_[at]) != nullptr;
  }

  void pass_separator(Token& token) {
    if (text_[at_] == '-' && !text_.substr(at_).starts_with("->")) token.minus = true;
    if (text_[at_] == '\n' && at_ + 1 < text_.size()) ++line_;
    ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0, line_ = 1;
};

// ---- reader -------------------------------------------------------------------------------------

class Parser {
 public:
  Parser(std::string_view text, const std::string& where) : tokens_(text), where_(where) {}

  NetworkFile parse() {
    Token token;
    while (next(token)) {
      if (token.text == "Constant") {
        read_constant();
      } else if (token.text == "Network") {
        read_network(token);
      } else if (network_line_ == 0 && hardware_option(token.text) != nullptr) {
        refuse_hardware(token);
      } else if (network_line_ == 0 && token.text == "Dataflow") {
        refuse_dataflow(token);
      } else if (token.text == "Accelerator") {
        fail(
            token.line,
            "an Accelerator block cannot stand in a mapping file, MAESTRO's reader finds no end of it either; remove it and give "
            "the hardware apart from the mapping");
      } else {
        refuse(token, "at the top of the file", kTopWords);
      }
    }
    if (network_line_ == 0) {
      fail(tokens_.line(),
           "the file holds no Network; write: Network name { Layer name { Type: CONV Dimensions { K: 64, ... } } }");
    }
    return std::move(file_);
  }

 private:
  // The parameter that an entry of MAESTRO's hardware files is given by; null for another word.
  static const char* hardware_option(std::string_view entry) {
    static constexpr std::array<std::pair<std::string_view, const char*>, 7> kOptions{{{"num_pes", "num_pes"},
                                                                                       {"l1_size_cstr", "L1_size"},
                                                                                       {"l2_size_cstr", "L2_size"},
                                                                                       {"noc_bw_cstr", "noc_bw"},
                                                                                       {"offchip_bw_cstr", "offchip_bw"},
                                                                                       {"num_simd_lanes", "num_simd_lanes"},
                                                                                       {"noc_hop_latency", "noc_latency"}}};
    const auto option = std::find_if(kOptions.begin(), kOptions.end(), [entry](const auto& o) { return o.first == entry; });
    return option == kOptions.end() ? nullptr : option->second;
  }

  // The same for a dataflow without a layer; one with other words in it is a mistake of another kind.
  [[noreturn]] void refuse_dataflow(const Token& keyword) {
    Token brace, word;
    const bool bare = next(brace) && next(word) && is_one_of(kDataflowWords, word.text);
    if (!bare) refuse(keyword, "at the top of the file", kTopWords);
    fail(keyword.line,
         "this is a dataflow without a layer to map; put it into one and evaluate that file with exarch eval maestro --in: "
         "Network n { "
         "Layer l { Type: CONV Dimensions { K: 64, C: 64, R: 3, S: 3, Y: 58, X: 58 } Dataflow { ... } } }");
  }

  // Names a hardware file for what it is, and says how to give what it holds.
  [[noreturn]] void refuse_hardware(const Token& first) {
    std::string options;
    Token entry = first, value;
    do {
      const char* option = hardware_option(entry.text);
      if (!next(value)) break;
      std::uint64_t number = 0;
      if (option == nullptr || parse_decimal(value.text, number) != Parsed::ok) continue;
      options += std::string(" --set ") + option + "=" + std::to_string(number);
    } while (next(entry));
    fail(first.line, "this is one of MAESTRO's hardware files, not a network; give what it says as" +
                         (options.empty() ? " --set num_pes=..." : options));
  }

  // A layer on its way, with the lines of its blocks; 0: not met yet.
  struct Draft {
    NamedLayer named{};
    std::size_t type_line = 0, stride_line = 0, dimensions_line = 0, dataflow_line = 0;
  };

  struct Block {
    std::string_view word;
    std::size_t Draft::*line;
    void (Parser::*read)(Draft&, const Token&);
  };

  [[noreturn]] void fail(std::size_t line, const std::string& what) const {
    throw Error(where_ + ":" + std::to_string(line) + ": " + what);
  }

  bool next(Token& token) {
    if (!tokens_.next(token)) return false;
    const std::string flaw = flaw_of(token.text);
    if (!flaw.empty()) fail(token.line, in_quotes(token.text) + " " + flaw);
    return true;
  }

  // The next word, where the file must not end.
  Token need(const std::string& what) {
    Token token;
    if (next(token)) return token;
    std::string message = "the file ends where " + what + " should stand";
    if (!open_.empty()) {
      message += "; " + open_.back().first + " of line " + std::to_string(open_.back().second) + " is not closed, complete it";
    }
    fail(tokens_.line(), message);
  }

  // Names what is wrong with a word that is none of `allowed`.
  [[noreturn]] void refuse(const Token& token, const std::string& place, const Words& allowed) const {
    static const std::array<std::pair<const Words*, const char*>, 4> kHomes{{{&kTopWords, "at the top of a file"},
                                                                             {&kNetworkWords, "in a Network"},
                                                                             {&kLayerWords, "in a Layer"},
                                                                             {&kDataflowWords, "in a Dataflow block"}}};
    if (token.text == "}") fail(token.line, "this '}' closes nothing (MAESTRO would pass over it); remove it");
    for (const auto& [words, home] : kHomes) {
      if (!is_one_of(*words, token.text)) continue;
      fail(token.line, in_quotes(token.text) + " stands " + place + " and belongs " + home + "; is a brace missing before it?");
    }
    std::string list;
    for (const std::string& word : allowed) list += (list.empty() ? "" : ", ") + word;
    fail(token.line,
         "unknown word " + in_quotes(token.text) + " " + place + did_you_mean(token.text, allowed) + "; expected " + list);
  }

  void open_block(const std::string& name, std::size_t line) {
    const Token token = need("the '{' of " + name);
    if (token.text != "{") fail(token.line, "expected the '{' of " + name + ", found " + in_quotes(token.text));
    open_.emplace_back(name, line);
  }

  // Passes words up to the block's '{'; the last is the name, as in MAESTRO.
  std::string read_name(const std::string& keyword, std::size_t line) {
    std::string name;
    for (;;) {
      const Token token = need("the '{' of " + keyword);
      if (token.text == "}") fail(token.line, "expected the '{' of " + keyword + ", found '}'");
      if (token.text == "{") break;
      name = token.text;
    }
    open_.emplace_back(name.empty() ? keyword : keyword + " " + in_quotes(name), line);
    return name;
  }

  // ---- numbers and dimensions ----

  std::int32_t number(const Token& token, const std::string& what) const {
    const std::string_view digits = token.text.substr(token.text.starts_with('+') ? 1 : 0);
    std::uint64_t value = 0;
    const Parsed parsed = parse_decimal(digits, value);
    if (parsed == Parsed::garbage && !token.text.empty() && token.text[0] >= '0' && token.text[0] <= '9') {
      fail(token.line, what + ": " + in_quotes(token.text) +
                           " is not a whole number, of which MAESTRO would read the first digits;" + " write a whole number");
    }
    if (parsed == Parsed::garbage) {
      Words names;
      for (const auto& constant : constants_) names.push_back(constant.first);
      fail(token.line, what + ": " + in_quotes(token.text) + " is neither a number nor a Constant defined above it" +
                           did_you_mean(token.text, names) + "; write a whole number or define the Constant");
    }
    if (parsed == Parsed::overflow || value > static_cast<std::uint64_t>(kMaxNumber)) {
      fail(token.line,
           what + ": " + in_quotes(token.text) + " is too large; the largest number is " + std::to_string(kMaxNumber));
    }
    return static_cast<std::int32_t>(value);
  }

  // The word of a value. In front of it MAESTRO takes a minus sign for a separator and so reads -4 as 4, and 8-4 as two numbers.
  Token need_value(const std::string& what) {
    const Token token = need(what);
    if (token.text == "{" || token.text == "}") fail(token.line, "expected " + what + ", found " + in_quotes(token.text));
    if (token.minus) {
      fail(token.line,
           what + ": a minus sign stands before " + in_quotes(token.text) + ", which MAESTRO would not see; remove it");
    }
    return token;
  }

  std::int32_t at_least_one(std::int32_t value, const Token& token, const std::string& what) const {
    if (value >= 1) return value;
    const std::string found = constants_.contains(token.text) ? std::string(token.text) + " = 0" : std::string(token.text);
    fail(token.line, what + " must be at least 1, found " + found);
  }

  // A number or a constant, at least 1.
  std::int32_t read_size(const Token& token, const std::string& what) const {
    const auto constant = constants_.find(token.text);
    return at_least_one(constant != constants_.end() ? constant->second : number(token, what), token, what);
  }

  // The same, or Sz(D).
  std::int32_t read_size_or_sz(const Layer& layer, const std::string& what) {
    const Token token = need_value(what);
    if (token.text != "Sz") return read_size(token, what);
    const Token name = need_value("the dimension of Sz");
    const Dim dim = dimension(name);
    const std::int32_t size = layer.size[index_of(dim)];
    if (size == 0) {
      fail(name.line, what + ": Sz(" + std::string(name.text) + ") is unknown, the layer declares no size of " +
                          std::string(name.text) + " above it; add it to the Dimensions, which must precede the Dataflow");
    }
    return size;
  }

  Dim dimension(const Token& token) const {
    const std::optional<Dim> dim = dim_of(token.text);
    if (!dim) fail(token.line, "unknown dimension " + in_quotes(token.text) + "; the dimensions are " + kAllDims);
    return *dim;
  }

  // ---- blocks ----

  void read_constant() {
    const Token name = need("the name of a Constant");
    // MAESTRO looks a word up among the constants first, so one called 10 would replace the number 10.
    const bool numeric = name.text.find_first_of("0123456789+") == 0;
    if (numeric || name.text == "Sz" || name.text == "{" || name.text == "}") {
      fail(name.line, in_quotes(name.text) + " cannot be the name of a Constant; write: Constant TileSize 4");
    }
    const std::string what = "the value of Constant " + in_quotes(name.text);
    const Token value = need_value(what);
    constants_.insert_or_assign(std::string(name.text), number(value, what));
  }

  void read_network(const Token& keyword) {
    if (network_line_ != 0) {
      fail(keyword.line, "a second Network; the first is in line " + std::to_string(network_line_) +
                             ", and MAESTRO would merge the two; put it into a file of its own");
    }
    network_line_ = keyword.line;
    file_.name = read_name("Network", keyword.line);
    for (;;) {
      const Token token = need("a Layer or the '}' of the Network");
      if (token.text == "}") break;
      if (token.text != "Layer") refuse(token, "in the Network", kNetworkWords);
      read_layer(token);
    }
    open_.pop_back();
    if (file_.layers.empty())
      fail(network_line_, "the Network has no layer; write: Layer name { Type: CONV Dimensions { ... } }");
  }

  void read_layer(const Token& keyword) {
    static constexpr std::array<Block, 4> kBlocks{{{"Type", &Draft::type_line, &Parser::read_type},
                                                   {"Stride", &Draft::stride_line, &Parser::read_stride},
                                                   {"Dimensions", &Draft::dimensions_line, &Parser::read_dimensions},
                                                   {"Dataflow", &Draft::dataflow_line, &Parser::read_dataflow}}};
    Draft draft;
    std::fill(std::begin(draft.named.layer.stride), std::end(draft.named.layer.stride), 1);
    draft.named.line = keyword.line;
    draft.named.name = read_name("Layer", keyword.line);
    for (;;) {
      const Token token = need("Type, Stride, Dimensions, Dataflow or the '}' of the Layer");
      if (token.text == "}") break;
      const auto block = std::find_if(kBlocks.begin(), kBlocks.end(), [&](const Block& b) { return b.word == token.text; });
      if (block == kBlocks.end()) refuse(token, "in the Layer", kLayerWords);
      std::size_t& line = draft.*block->line;
      if (line != 0) {
        fail(token.line, "a second " + std::string(block->word) + " of this layer; the first is in line " + std::to_string(line) +
                             "; keep one of them");
      }
      line = token.line;
      (this->*block->read)(draft, token);
    }
    check_layer(draft);
    open_.pop_back();
    file_.layers.push_back(std::move(draft.named));
  }

  void check_layer(const Draft& draft) const {
    const std::string layer = open_.back().first;
    if (draft.type_line == 0) fail(draft.named.line, layer + " has no Type; write: Type: CONV");
    const Layer& read = draft.named.layer;
    if (std::all_of(std::begin(read.size), std::end(read.size), [](std::int32_t size) { return size == 0; })) {
      fail(draft.named.line, layer + " has no dimension; write: Dimensions { K: 64, C: 3, R: 3, S: 3, Y: 56, X: 56 }");
    }
    // MAESTRO forgets such a stride without a word.
    for (std::uint32_t d = 0; d < kDims; ++d) {
      if (read.stride[d] == 1 || read.size[d] != 0) continue;
      const std::string name(kDimNames[d]);
      fail(draft.stride_line, "a stride of " + name + ", but " + layer + " declares no size of " + name +
                                  ", so that MAESTRO would ignore it; declare " + name + " or remove its stride");
    }
  }

  void read_type(Draft& draft, const Token&) {
    static const Words kLayerless{"FC", "POOL", "LSTM"};
    const Token token = need("the layer's Type");
    if (is_one_of(kLayerless, token.text)) {
      fail(token.line, "layer type " + in_quotes(token.text) +
                           " is a word that MAESTRO recognises but creates no layer for; write " +
                           "the layer as one of CONV, DSCONV, NGCONV, GEMM, TRCONV");
    }
    const std::optional<LayerType> type = layer_type_of(token.text);
    if (!type) {
      fail(token.line, "unknown layer type " + in_quotes(token.text) + did_you_mean(token.text, kTypeWords) +
                           "; the types are CONV, DSCONV, NGCONV, GEMM and TRCONV");
    }
    draft.named.layer.type = *type;
  }

  void read_stride(Draft& draft, const Token& keyword) {
    if (draft.dimensions_line != 0) {
      fail(keyword.line,
           "Stride stands after the Dimensions of line " + std::to_string(draft.dimensions_line) + "; move it before them");
    }
    open_block("Stride", keyword.line);
    std::uint32_t met = 0;
    for (;;) {
      const Token token = need("a dimension or the '}' of Stride");
      if (token.text == "}") break;
      const Dim dim = dimension(token);
      if ((met & bit_of(dim)) != 0) fail(token.line, "a second stride of " + std::string(token.text) + "; keep one of them");
      met |= bit_of(dim);
      const std::string what = "the stride of " + std::string(token.text);
      const Token value = need_value(what);
      if (constants_.contains(value.text)) {
        fail(value.line,
             what + ": " + in_quotes(value.text) + " is a Constant, which MAESTRO does not know here; write the number");
      }
      draft.named.layer.stride[index_of(dim)] = at_least_one(number(value, what), value, what);
    }
    open_.pop_back();
  }

  void read_dimensions(Draft& draft, const Token& keyword) {
    open_block("Dimensions", keyword.line);
    for (;;) {
      const Token token = need("a dimension or the '}' of Dimensions");
      if (token.text == "}") break;
      const Dim dim = dimension(token);
      const std::string what = "the size of " + std::string(token.text);
      const Token value = need_value(what);
      const std::int32_t size = read_size(value, what);
      std::int32_t& declared = draft.named.layer.size[index_of(dim)];
      // Files of MAESTRO's own say "N: 1, N: 1". MAESTRO computes with the first size, but Sz(D) and the count of input pixels
      // see the others too; only a repeated 1 can make no difference.
      if (declared != 0 && (declared != 1 || size != 1)) {
        fail(token.line, "dimension " + std::string(token.text) + " is declared twice, as " + std::to_string(declared) + " and " +
                             std::to_string(size) + "; keep one of them");
      }
      declared = size;
    }
    open_.pop_back();
  }

  void read_dataflow(Draft& draft, const Token& keyword) {
    open_block("Dataflow", keyword.line);
    Mapping& mapping = draft.named.mapping.emplace();
    for (;;) {
      const Token token = need("TemporalMap, SpatialMap, Cluster or the '}' of the Dataflow");
      if (token.text == "}") break;
      if (!is_one_of(kDataflowWords, token.text)) refuse(token, "in the Dataflow", kDataflowWords);
      if (mapping.count == kMaxDirectives) {
        fail(token.line, "more than " + std::to_string(kMaxDirectives) +
                             " directives, clusters included, which Exarch does not evaluate; shorten the mapping");
      }
      mapping.directive[mapping.count++] =
          token.text == "Cluster" ? read_cluster(draft.named.layer) : read_map(draft.named.layer, std::string(token.text));
    }
    open_.pop_back();
  }

  Directive read_map(const Layer& layer, const std::string& keyword) {
    Directive directive{};
    directive.map = keyword == "SpatialMap" ? Map::spatial : Map::temporal;
    directive.size = read_size_or_sz(layer, "the size of " + keyword);
    directive.offset = read_size_or_sz(layer, "the offset of " + keyword);
    directive.dim = dimension(need("the dimension of " + keyword));
    return directive;
  }

  Directive read_cluster(const Layer& layer) {
    const std::int32_t size = read_size_or_sz(layer, "the size of Cluster");
    const Token type = need("the type of Cluster");
    if (type.text != "L" && type.text != "P") {
      fail(type.line,
           "cluster type " + in_quotes(type.text) + " is neither L nor P; write: Cluster(" + std::to_string(size) + ", P)");
    }
    return {Map::cluster, Dim{}, size, size};
  }

  Tokens tokens_;
  std::string where_;
  NetworkFile file_;
  std::size_t network_line_ = 0;
  std::map<std::string, std::int32_t, std::less<>> constants_;
  std::vector<std::pair<std::string, std::size_t>> open_;  // blocks and their lines, outermost first
};

// ---- writer -------------------------------------------------------------------------------------

std::string written_name(const std::string& name) {
  if (name.empty()) return "";
  Token token;
  const bool one_word = Tokens(name).next(token) && token.text == name && flaw_of(name).empty() && name != "{" && name != "}";
  if (!one_word)
    throw Error(in_quotes(name) + " cannot be a name in a mapping file; use one word of letters, digits, '_' and '.'");
  return name + " ";
}

std::string written_number(std::int32_t value, const std::string& layer, const std::string& what) {
  if (value < 1) throw Error("layer " + in_quotes(layer) + ": " + what + " must be at least 1, is " + std::to_string(value));
  return std::to_string(value);
}

void write_layer(const NamedLayer& named, std::string& text) {
  const auto number = [&](std::int32_t value, const std::string& what) { return written_number(value, named.name, what); };
  std::string strides, sizes;
  for (const Dim dim : kWrittenOrder) {
    const std::string name(name_of(dim));
    const std::int32_t size = named.layer.size[index_of(dim)], stride = named.layer.stride[index_of(dim)];
    if (stride != 1 && size == 0) {
      throw Error("layer " + in_quotes(named.name) + ": a stride of " + name + ", which has no size; give it one, or stride 1");
    }
    if (stride != 1) strides += (strides.empty() ? "" : ", ") + name + ": " + number(stride, "the stride of " + name);
    if (size != 0) sizes += (sizes.empty() ? "" : ", ") + name + ": " + number(size, "the size of " + name);
  }
  if (sizes.empty()) throw Error("layer " + in_quotes(named.name) + " has no dimension; give at least one a size");
  text += "  Layer " + written_name(named.name) + "{\n    Type: " + std::string(name_of(named.layer.type)) + "\n";
  if (!strides.empty()) text += "    Stride { " + strides + " }\n";
  text += "    Dimensions { " + sizes + " }\n";
  if (named.mapping) {
    const Mapping& mapping = *named.mapping;
    if (mapping.count > kMaxDirectives) {
      throw Error("layer " + in_quotes(named.name) + " has more than " + std::to_string(kMaxDirectives) + " directives");
    }
    text += "    Dataflow {\n";
    for (std::uint32_t i = 0; i < mapping.count; ++i) {
      const Directive& d = mapping.directive[i];
      if (d.map == Map::cluster) {
        text += "      Cluster(" + number(d.size, "a cluster") + ", P);\n";
      } else {
        text += d.map == Map::spatial ? "      SpatialMap(" : "      TemporalMap(";
        text += number(d.size, "a tile") + "," + number(d.offset, "an offset") + ") " + std::string(name_of(d.dim)) + ";\n";
      }
    }
    text += "    }\n";
  }
  text += "  }\n";
}

template <class Enum, std::size_t kCount>
std::optional<Enum> find_name(const std::array<std::string_view, kCount>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

}  // namespace

std::string_view name_of(Dim dim) {
  return kDimNames[index_of(dim)];
}

std::string_view name_of(LayerType type) {
  return kTypeNames[static_cast<std::size_t>(type)];
}

std::optional<Dim> dim_of(std::string_view name) {
  return find_name<Dim>(kDimNames, name);
}

std::optional<LayerType> layer_type_of(std::string_view name) {
  return find_name<LayerType>(kTypeNames, name);
}

NetworkFile read_network_file(const std::string& path) {
  constexpr std::size_t kMostBytes = std::size_t{64} << 20;
  const std::string expected = "a MAESTRO mapping file";
  // What MAESTRO itself reads in other places is explained where it is parsed.
  return named_if_foreign(path, {FileKind::maestro_network, FileKind::maestro_dataflow, FileKind::maestro_hardware}, expected,
                          [&] { return parse_network(read_text(path, expected, kMostBytes), path); });
}

NetworkFile parse_network(std::string_view text, const std::string& where) {
  return Parser(text, where).parse();
}

std::string write_network(const NetworkFile& file) {
  if (file.layers.empty()) throw Error("network " + in_quotes(file.name) + " has no layer; a mapping file needs one");
  std::string text = "Network " + written_name(file.name) + "{\n";
  for (const NamedLayer& layer : file.layers) write_layer(layer, text);
  return text + "}\n";
}

}  // namespace exarch::maestro
