// Problem shapes: which of the eight loops of a grouped convolution each dimension is.
//
// The model counts for three tensors, each of which has a certain set of loops: Weights C, M, R and S; Inputs N, C, R with P, and
// S with Q; Outputs N, M, P and Q; all of them G. A shape fits if its dimensions can be named so that its tensors have these
// loops. Dimensions of size 1 have no effect, and fit anywhere.
#include <algorithm>

#include "host/files/text.hpp"
#include "host/timeloop/yaml_sections.hpp"

namespace exarch::timeloop {
namespace {

struct Term {
  std::size_t dim;
  std::int64_t coefficient;
};
using Rank = std::vector<Term>;

struct Tensor {
  std::string name;
  bool written = false;
  std::vector<Rank> ranks;
  YamlPlace place;
};

struct Shape {
  std::string name;
  std::vector<std::string> dims;
  std::vector<std::int64_t> sizes;  // (dim)
  std::vector<Tensor> tensors;
  YamlPlace place;
};

// ---- the shapes that Timeloop knows by name -------------------------------------------------------------------------------

constexpr const char* kConvolution =
    "name: cnn_layer\n"
    "dimensions: [R, S, P, Q, C, K, N]\n"
    "coefficients: [{name: Wstride, default: 1}, {name: Hstride, default: 1}, {name: Wdilation, default: 1},\n"
    "  {name: Hdilation, default: 1}]\n"
    "data_spaces:\n"
    "- {name: Weights, projection: [[[C]], [[K]], [[R]], [[S]]]}\n"
    "- {name: Inputs, projection: [[[N]], [[C]], [[R, Wdilation], [P, Wstride]], [[S, Hdilation], [Q, Hstride]]]}\n"
    "- {name: Outputs, projection: [[[N]], [[K]], [[Q]], [[P]]], read_write: true}\n";
constexpr const char* kProduct =
    "name: gemm_ABZ\n"
    "dimensions: [M, N, K]\n"
    "data_spaces:\n"
    "- {name: A, projection: [[[M]], [[K]]]}\n"
    "- {name: B, projection: [[[N]], [[K]]]}\n"
    "- {name: Z, projection: [[[M]], [[N]]], read_write: true}\n";

YamlNode named_shape(const std::string& name, const YamlNode& node) {
  std::string plain = name;
  std::ranges::transform(plain, plain.begin(), [](char c) { return c == '-' ? '_' : c; });
  for (const char* suffix : {".yaml", ".yml", ".cfg"}) {
    if (plain.ends_with(suffix)) plain.resize(plain.find_last_of('.'));
  }
  if (plain == "cnn_layer" || plain == "CNN_Layer") return parse_yaml(kConvolution, "cnn_layer");
  if (plain == "gemm_ABZ") return parse_yaml(kProduct, "gemm_ABZ");
  if (plain == "gemm") refuse(node, "the shape gemm has a fourth tensor, the sum that the product is added to; gemm_ABZ is read");
  refuse(node, "the shape " + in_quotes(name) +
                   " is not known: cnn_layer and gemm_ABZ are, or describe it here (dimensions, data_spaces)");
}

// ---- reading --------------------------------------------------------------------------------------------------------------

class ShapeReader {
 public:
  ShapeReader(const YamlNode& shape, const YamlNode& instance, Scope& scope)
      : shape_(shape), instance_(instance), scope_(scope) {}

  Shape read() {
    if (!shape_.is_map()) refuse(shape_, "shape: expected a name or a map, found " + shown(shape_));
    if (const YamlNode* flatten = shape_.find("flatten")) {
      if (!flatten->items.empty()) refuse(*flatten, "flatten: flattened dimensions are not modelled");
    }
    result_.place = shape_.place;
    if (const YamlNode* name = shape_.find("name")) result_.name = text_of(*name, "name");
    read_dimensions();
    read_coefficients();
    const YamlNode* spaces = shape_.find("data_spaces");
    if (spaces == nullptr || !spaces->is_list()) refuse(shape_, "the shape has no list data_spaces");
    for (const YamlNode& space : spaces->items) read_tensor(space);
    return std::move(result_);
  }

 private:
  void read_dimensions() {
    const YamlNode* dims = shape_.find("dimensions");
    if (dims == nullptr || !dims->is_list()) refuse(shape_, "the shape has no list of dimensions");
    result_.dims = texts_of(*dims, "dimensions");
    if (result_.dims.size() > 32) refuse(*dims, "more than 32 dimensions");
    for (std::size_t d = 0; d < result_.dims.size(); ++d) {
      const std::string& name = result_.dims[d];
      if (name.size() != 1) refuse(*dims, "the dimension " + in_quotes(name) + ": Timeloop's have one letter");
      if (std::ranges::count(result_.dims, name) > 1) refuse(*dims, "the dimension " + name + " occurs twice");
      const YamlNode* size = instance_.find(name);
      if (size == nullptr) refuse(instance_, "the size of dimension " + name + " is missing");
      result_.sizes.push_back(whole_of(*size, name, scope_, 1, kLargestNumber));
    }
  }

  void read_coefficients() {
    const YamlNode* coefficients = shape_.find("coefficients");
    if (coefficients == nullptr) return;
    if (!coefficients->is_list()) refuse(*coefficients, "coefficients: expected a list");
    for (const YamlNode& entry : coefficients->items) {
      const YamlNode* name = entry.find("name");
      if (name == nullptr) refuse(entry, "a coefficient has a name and a default");
      const std::string& text = text_of(*name, "name");
      const YamlNode* value = instance_.find(text);
      if (value == nullptr) value = entry.find("default");
      if (value == nullptr) refuse(entry, "the coefficient " + in_quotes(text) + " has neither a default nor a value");
      coefficients_[text] = whole_of(*value, text, scope_, 1, kLargestNumber);
    }
  }

  void read_tensor(const YamlNode& node) {
    Tensor tensor;
    tensor.place = node.place;
    const YamlNode* name = node.find("name");
    const YamlNode* projection = node.find("projection");
    if (name == nullptr || projection == nullptr || !projection->is_list())
      refuse(node, "a data space has a name and a projection");
    tensor.name = text_of(*name, "name");
    if (const YamlNode* written = node.find("read_write")) tensor.written = truth_of(*written, "read_write", scope_);
    for (const YamlNode& rank : projection->items) tensor.ranks.push_back(rank_of(rank));
    result_.tensors.push_back(std::move(tensor));
  }

  // [[R, Wdilation], [P, Wstride]]; or R alone, for [[R]].
  Rank rank_of(const YamlNode& node) {
    if (node.is_scalar()) return {term_of({&node, 1})};
    if (!node.is_list()) refuse(node, "projection: expected a list of terms like [[R, Wdilation], [P, Wstride]]");
    Rank rank;
    for (const YamlNode& term : node.items) {
      if (!term.is_list() || term.items.empty() || term.items.size() > 2) {
        refuse(term, "projection: expected a term like [R] or [R, Wdilation]");
      }
      rank.push_back(term_of(term.items));
    }
    return rank;
  }

  Term term_of(std::span<const YamlNode> words) {
    const std::string& dim = text_of(words[0], "projection");
    const auto known = std::ranges::find(result_.dims, dim);
    if (known == result_.dims.end()) refuse(words[0], "the projection names " + in_quotes(dim) + ", which is no dimension");
    Term term{static_cast<std::size_t>(known - result_.dims.begin()), 1};
    if (words.size() == 2) {
      const auto coefficient = coefficients_.find(text_of(words[1], "projection"));
      if (coefficient == coefficients_.end())
        refuse(words[1], "the projection names " + shown(words[1]) + ", which is no coefficient");
      term.coefficient = coefficient->second;
    }
    return term;
  }

  const YamlNode& shape_;
  const YamlNode& instance_;
  Scope& scope_;
  std::map<std::string, std::int64_t> coefficients_;
  Shape result_;
};

// ---- fitting --------------------------------------------------------------------------------------------------------------

constexpr const char* kLoopNames = "CMRSNPQG";

// Names dimensions so that the shape's tensors are the model's. Tries those of the same name first.
class Fitting {
 public:
  explicit Fitting(const Shape& shape) : shape_(shape), loop_(shape.dims.size()) {}

  Layer fit() {
    check_tensors();
    for (std::size_t d = 0; d < shape_.dims.size(); ++d) {
      if (shape_.sizes[d] > 1) dims_.push_back(d);
    }
    // Of two tensors that are read, the first is taken for the weights, unless their names say otherwise.
    std::ranges::stable_sort(read_, {}, [this](std::size_t t) { return shape_.tensors[t].name != "Weights"; });
    for (int turn = 0; turn < 2; ++turn) {
      tensor_ = {read_[turn == 0 ? 0 : 1], read_[turn == 0 ? 1 : 0], written_};
      if (name_from(0)) return layer();
    }
    explain();
  }

 private:
  void check_tensors() {
    for (std::size_t t = 0; t < shape_.tensors.size(); ++t) {
      if (shape_.tensors[t].written) {
        if (has_written_) refuse(shape_.tensors[t].place, "a second data space is read_write; the model has one");
        has_written_ = true;
        written_ = t;
      } else {
        read_.push_back(t);
      }
    }
    if (!has_written_ || read_.size() != 2) {
      refuse(shape_.place, "the shape has " + std::to_string(read_.size()) + " data spaces that are read and " +
                               (has_written_ ? "1" : "none") + " with read_write; the model has 2 and 1");
    }
  }

  [[nodiscard]] bool has(std::size_t tensor, std::size_t dim) const {
    const auto names = [dim](const Term& term) { return term.dim == dim; };
    return std::ranges::any_of(shape_.tensors[tensor].ranks, [&](const Rank& rank) { return std::ranges::any_of(rank, names); });
  }

  // The loops that are in the same tensors as a dimension, the one of its name first.
  [[nodiscard]] std::string loops_for(std::size_t dim) const {
    const std::string in = {has(tensor_[kWeights], dim) ? 'W' : '-', has(tensor_[kInputs], dim) ? 'I' : '-',
                            has(tensor_[kOutputs], dim) ? 'O' : '-'};
    std::string loops = in == "WI-" ? "CRS" : in == "W-O" ? "M" : in == "-IO" ? "NPQ" : in == "WIO" ? "G" : "";
    const std::size_t same = loops.find(shape_.dims[dim]);
    if (same != std::string::npos) std::swap(loops[0], loops[same]);
    return loops;
  }

  bool name_from(std::size_t i) {
    if (i == dims_.size()) return agrees();
    for (const char loop : loops_for(dims_[i])) {
      if (taken_.find(loop) != std::string::npos) continue;
      taken_.push_back(loop);
      loop_[dims_[i]] = loop;
      if (name_from(i + 1)) return true;
      taken_.pop_back();
    }
    return false;
  }

  // Whether the ranks of all tensors are the model's, with dimensions as they are named now.
  bool agrees() {
    coefficient_ = {};
    return agrees(kWeights, {"C", "M", "R", "S", "G"}) && agrees(kInputs, {"N", "C", "RP", "SQ", "G"}) &&
           agrees(kOutputs, {"N", "M", "P", "Q", "G"});
  }

  bool agrees(Space space, std::vector<std::string> ranks) {
    for (const Rank& rank : shape_.tensors[tensor_[space]].ranks) {
      std::string loops;
      bool plain = true;
      for (const Term& term : rank) {
        if (shape_.sizes[term.dim] == 1) continue;
        const char loop = loop_[term.dim];
        loops.push_back(loop);
        plain = plain && term.coefficient == 1;
        if (space == kInputs) coefficient_[loop] = term.coefficient;
      }
      if (loops.empty()) continue;
      std::ranges::sort(loops);
      const auto fits = std::ranges::find_if(ranks, [&](const std::string& model) { return in_use(model) == loops; });
      if (fits == ranks.end() || (!plain && fits->size() == 1)) return false;
      ranks.erase(fits);
    }
    return std::ranges::all_of(ranks, [this](const std::string& model) { return in_use(model).empty(); });
  }

  // Those loops of a rank that a dimension has, in the order of letters.
  [[nodiscard]] std::string in_use(std::string loops) const {
    std::erase_if(loops, [this](char loop) { return taken_.find(loop) == std::string::npos; });
    std::ranges::sort(loops);
    return loops;
  }

  Layer layer() {
    Layer layer;
    layer.name = shape_.name;
    layer.dims = shape_.dims;
    layer.sizes = shape_.sizes;
    std::ranges::fill(layer.problem.bound, 1);
    std::string free;
    for (const char loop : std::string(kLoopNames)) {
      if (taken_.find(loop) == std::string::npos) free.push_back(loop);
    }
    for (std::size_t d = 0; d < shape_.dims.size(); ++d) {
      if (shape_.sizes[d] > 1) layer.problem.bound[index(loop_[d])] = shape_.sizes[d];
    }
    // Dimensions of size 1 take what is left, again those of the same name first.
    std::vector<char> loops = loop_;
    for (std::size_t d = 0; d < shape_.dims.size(); ++d) {
      const std::size_t same = free.find(shape_.dims[d]);
      if (shape_.sizes[d] > 1 || same == std::string::npos) continue;
      loops[d] = free[same];
      free.erase(same, 1);
    }
    for (std::size_t d = 0; d < shape_.dims.size(); ++d) {
      if (loops[d] == 0 && !free.empty()) {
        loops[d] = free.back();
        free.pop_back();
      }
      layer.loops.push_back(loops[d] == 0 ? std::nullopt : std::optional(static_cast<Dim>(index(loops[d]))));
    }
    note_coefficients_of_ones(loops);
    const auto coefficient = [this](char loop) { return coefficient_.contains(loop) ? coefficient_[loop] : 1; };
    layer.problem.wstride = coefficient('P');
    layer.problem.hstride = coefficient('Q');
    layer.problem.wdilation = coefficient('R');
    layer.problem.hdilation = coefficient('S');
    for (std::uint32_t s = 0; s < kSpaces; ++s) {
      layer.space_names[s] = shape_.tensors[tensor_[s]].name;
      layer.tensors[tensor_[s]] = static_cast<Space>(s);
    }
    return layer;
  }

  // Coefficients of dimensions of size 1 have no effect; they are kept where their loop has a place for them.
  void note_coefficients_of_ones(const std::vector<char>& loops) {
    for (const Rank& rank : shape_.tensors[tensor_[kInputs]].ranks) {
      for (const Term& term : rank) {
        if (shape_.sizes[term.dim] == 1) coefficient_.try_emplace(loops[term.dim], term.coefficient);
      }
    }
  }

  static std::size_t index(char loop) { return std::string(kLoopNames).find(loop); }

  [[noreturn]] void explain() const {
    std::string groups;  // dimensions that are in all tensors
    for (const std::size_t d : dims_) {
      std::string in;
      std::size_t count = 0;
      for (const Tensor& tensor : shape_.tensors) {
        if (!has(static_cast<std::size_t>(&tensor - shape_.tensors.data()), d)) continue;
        in += (in.empty() ? "" : ", ") + tensor.name;
        ++count;
      }
      const std::string dim = "the dimension " + shape_.dims[d] + " (size " + std::to_string(shape_.sizes[d]) + ")";
      if (count == 3 && !groups.empty()) {
        refuse(shape_.place, dim + " is in all tensors (" + in + "), and so is " + groups +
                                 "; the model has one such loop, for groups, depthwise channels or a batch of matrix products. "
                                 "Make one dimension of the two, or evaluate one of these products, with " +
                                 shape_.dims[d] + ": 1");
      }
      if (count == 3) groups = shape_.dims[d];
      if (count < 2)
        refuse(shape_.place,
               dim + " is in " + (count == 0 ? "no tensor" : in + " alone") + "; the model's loops are each in two or in all");
    }
    refuse(shape_.place,
           "the shape does not fit the loops of a grouped convolution, whose tensors are Weights[G,C,M,R,S], "
           "Inputs[G,N,C,R+P,S+Q] and Outputs[G,N,M,P,Q], with coefficients in Inputs alone");
  }

  const Shape& shape_;
  std::vector<std::size_t> read_, dims_;  // tensors that are read; dimensions with more than one iteration
  std::size_t written_ = 0;
  bool has_written_ = false;
  std::array<std::size_t, kSpaces> tensor_{};  // (Space) the shape's tensor
  std::vector<char> loop_;                     // (dim) 'C' ... 'Q'; 0: none
  std::string taken_;
  std::map<char, std::int64_t> coefficient_;
};

// Whether a density is other than 1, in {Inputs: 0.5} or {Inputs: {density: 0.5, distribution: ...}}.
bool is_sparse(const YamlNode& density, Scope& scope) {
  if (density.is_map()) {
    const YamlNode* inner = density.find("density");
    if (inner != nullptr) return is_sparse(*inner, scope);
    return std::ranges::any_of(density.items, [&scope](const YamlNode& item) { return is_sparse(item, scope); });
  }
  if (!density.is_scalar()) return false;
  return number_of(density, "density", scope) != 1;
}

}  // namespace

Layer layer_of(const YamlNode& problem, Scope& scope, std::vector<std::string>& warnings) {
  if (!problem.is_map()) refuse(problem, "problem: expected a map, found " + shown(problem));
  const YamlNode* instance = problem.find("instance");
  const YamlNode& sizes = instance == nullptr ? problem : *instance;
  for (const char* key : {"densities", "commonDensity"}) {
    const YamlNode* density = sizes.find(key);
    if (density == nullptr || !is_sparse(*density, scope)) continue;
    warnings.push_back(shown(density->place) + ": " + key +
                       " have no effect, as in Timeloop without sparse_optimizations: the tensors count as dense");
  }
  const YamlNode* shape = problem.find("shape");
  YamlNode named;
  if (shape == nullptr) {
    named = named_shape("cnn_layer", problem);
  } else if (shape->is_scalar()) {
    named = named_shape(shape->text, *shape);
  }
  // Mistakes in sizes have their place in the file; a shape that is known by name has the place of its name.
  if (!named.is_null()) named.place = shape == nullptr ? problem.place : shape->place;
  Shape read = ShapeReader(named.is_null() ? *shape : named, sizes, scope).read();
  return Fitting(read).fit();
}

}  // namespace exarch::timeloop
