// Design spaces: which parameters a candidate has, which values each may take, and how points are numbered.
//
// An environment declares its parameters once (name, kind, unit, doc, default, legal range); a DesignSpace lists the values to
// search for every one of them (a fixed parameter has one). CLI help, CSV headers, JSON schema and docs derive from these tables.
// A candidate is a row of genes: gene p is an index into parameter p's value list. Points are numbered in mixed radix, the first
// parameter varying slowest. A space may have more points than numbers: candidates are rows of genes all the same, so a search or
// a sample goes through it; what needs every point, or the number of one, does not.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace exarch {

using Gene = std::uint16_t;

enum class ParameterKind { categorical, integer };

// A name of something that the model lacks, though its reference has it, and what to know about it: a phrase that goes on after
// "the reference knows it, this model does not: ".
struct Elsewhere {
  std::string name, reason;
};

// One row of an environment's parameter table.
struct ParameterInfo {
  std::string name;  // ArchGym's name
  ParameterKind kind;
  std::vector<std::string> labels;  // categorical: the names; value = index of the name
  std::int64_t minimum, maximum;    // integer: legal range (categorical: 0 .. labels-1)
  std::int64_t default_value;
  std::string unit, doc;
  std::vector<std::pair<std::string, std::string>> aliases{};  // other names of labels: {"Rankwise", "AllBank"}; never printed
  std::vector<Elsewhere> elsewhere{};                          // labels that only the reference has

  [[nodiscard]] std::string format(std::int64_t value) const;
  // Parses a value as a user writes it, by a label or another name of one; UsageError with the nearest valid one (unknown label,
  // not an integer, out of range), or with the reason why the model has no such label.
  [[nodiscard]] std::int64_t parse(std::string_view text) const;
};

// The values of one candidate, one per parameter of the environment's table: what a model takes.
using Design = std::vector<std::int64_t>;

// Every parameter's default.
[[nodiscard]] Design default_design(std::span<const ParameterInfo> parameters);

class DesignSpace {
 public:
  // `values[p]`: the values of parameter p, in order, without duplicates, each legal; checked (UsageError).
  DesignSpace(std::string name, std::string doc, std::span<const ParameterInfo> parameters,
              std::vector<std::vector<std::int64_t>> values);

  // Reads a space file (JSON): {"name": ..., "doc": ..., "parameters": {"RequestBufferSize": [1, 2, 4],
  // "MaxActiveTransactions": {"from": 1, "to": 128, "step": 1}, "PagePolicy": ["Open"]}}. A parameter left out takes its default.
  // Unknown names and values are errors with the nearest valid one.
  [[nodiscard]] static DesignSpace from_file(const std::string& path, std::span<const ParameterInfo> parameters);
  [[nodiscard]] static DesignSpace from_json(std::string_view text, const std::string& where,
                                             std::span<const ParameterInfo> parameters);
  // The same, back: from_json(to_json()) is the same space.
  [[nodiscard]] std::string to_json() const;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& doc() const { return doc_; }
  [[nodiscard]] std::span<const ParameterInfo> parameters() const { return parameters_; }
  [[nodiscard]] std::size_t dimensions() const { return values_.size(); }
  [[nodiscard]] std::span<const std::int64_t> values(std::size_t parameter) const { return values_[parameter]; }
  // Whether points are numbered: there are at most 2^63.
  [[nodiscard]] bool is_numbered() const { return size_ != 0; }
  // The number of points. UsageError of a space whose points are not numbered.
  [[nodiscard]] std::uint64_t size() const;
  // The number of points, rounded.
  [[nodiscard]] double rough_size() const;
  // The number of points to show: "1,769,472", and of a space without numbers "9.4e+25".
  [[nodiscard]] std::string size_text() const;

  // Point number -> genes, and back, of a space that is_numbered().
  void genes_of(std::uint64_t point, std::span<Gene> genes) const;
  [[nodiscard]] std::uint64_t point_of(std::span<const Gene> genes) const;
  // Genes -> parameter values.
  void design_of(std::span<const Gene> genes, std::span<std::int64_t> design) const;

 private:
  std::string name_, doc_;
  std::vector<ParameterInfo> parameters_;
  std::vector<std::vector<std::int64_t>> values_;
  std::uint64_t size_ = 1;  // 0: beyond 2^63
};

// The genes of the number-th of a series of points drawn uniformly, with repetition; the same for every caller.
void random_genes(const DesignSpace& space, std::uint64_t seed, std::uint64_t number, std::span<Gene> genes);
// The designs (design, parameter) of the first `count` of them.
[[nodiscard]] std::vector<std::int64_t> random_designs(const DesignSpace& space, std::size_t count, std::uint64_t seed);

// Candidates of one batch: genes of candidate c at row(c); (candidate, parameter) uint16.
struct GeneBatch {
  std::size_t dimensions = 0;
  std::vector<Gene> genes;

  [[nodiscard]] std::size_t candidates() const { return dimensions == 0 ? 0 : genes.size() / dimensions; }
  [[nodiscard]] std::span<Gene> row(std::size_t c) { return std::span(genes).subspan(c * dimensions, dimensions); }
  [[nodiscard]] std::span<const Gene> row(std::size_t c) const { return std::span(genes).subspan(c * dimensions, dimensions); }
};

}  // namespace exarch
