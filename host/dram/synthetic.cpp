#include "host/dram/synthetic.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "host/dram/trace_writer.hpp"
#include "host/error.hpp"
#include "kernels/core/philox.hpp"

namespace exarch::dram {
namespace {

constexpr std::uint64_t kMostBlocks = std::uint64_t{1} << 32;
constexpr std::uint64_t kMostZipfRows = std::uint64_t{1} << 22;
constexpr std::uint64_t kMostHotRows = 65536;

// What is drawn, each from a stream of its own: the share of writes does not change the addresses.
enum Draw : std::uint32_t { draw_block, draw_row, draw_hot, draw_write, draw_ranks };

PhiloxStream stream_of(const SyntheticSpec& spec, Draw draw) {
  constexpr std::uint32_t kPurpose = 0x74726163;  // "trac"
  return {spec.seed, kPurpose, static_cast<std::uint32_t>(spec.pattern), draw};
}

// In [0, n), n up to 2^32.
std::uint64_t draw_below(PhiloxStream& stream, std::uint64_t n) {
  return n == kMostBlocks ? stream.next() : stream.below(static_cast<std::uint32_t>(n));
}

void check_spec(const SyntheticSpec& spec, const std::filesystem::path& out) {
  const auto require = [](bool holds, const std::string& what) {
    if (!holds) throw UsageError(what);
  };
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max() - 1;  // as for every trace
  require(out.extension() == ".stl", out.string() + ": a trace that is made must be named *.stl");
  require(spec.requests >= 1 && spec.requests <= kMost, "--requests: expected 1 to " + std::to_string(kMost));
  require(spec.block_bytes >= 1, "--burst: expected 1 or more");
  require(spec.footprint_bytes >= spec.block_bytes && spec.footprint_bytes % spec.block_bytes == 0,
          "--footprint: expected a multiple of the burst, " + std::to_string(spec.block_bytes) + " bytes");
  require(spec.footprint_bytes / spec.block_bytes <= kMostBlocks, "--footprint: more than 2^32 bursts");
  require(spec.write_percent <= 100, "--writes: expected 0 to 100 percent");
  require(spec.interval <= kMost && spec.pause <= kMost - spec.interval,
          "--interval, --pause: a gap of more than " + std::to_string(kMost) + " cycles");
  require(spec.group > 0 || spec.pause == 0, "--pause has no effect without --group, the requests between two pauses");
  if (spec.pattern == Pattern::strided) {
    require(spec.stride_bytes >= spec.block_bytes && spec.stride_bytes % spec.block_bytes == 0 &&
                spec.stride_bytes <= spec.footprint_bytes,
            "--stride: expected a multiple of the burst, " + std::to_string(spec.block_bytes) + " bytes, within the footprint");
  }
  if (spec.pattern != Pattern::hot_rows && spec.pattern != Pattern::zipf) return;
  require(
      spec.row_bytes >= spec.block_bytes && spec.row_bytes % spec.block_bytes == 0 && spec.footprint_bytes % spec.row_bytes == 0,
      "--row-bytes: expected a multiple of the burst, of which the footprint is a multiple");
  const std::uint64_t rows = spec.footprint_bytes / spec.row_bytes;
  if (spec.pattern == Pattern::hot_rows) {
    require(spec.hot_percent <= 100, "--hot-share: expected 0 to 100 percent");
    require(spec.hot_rows >= 1 && spec.hot_rows <= rows && spec.hot_rows <= kMostHotRows,
            "--hot-rows: expected 1 to " + std::to_string(std::min(rows, kMostHotRows)) + ", rows of the footprint");
  } else {
    require(spec.exponent >= 0 && spec.exponent <= 10, "--exponent: expected 0 to 10");
    require(rows <= kMostZipfRows, "--footprint: zipf takes 2^22 rows at most; this is " + std::to_string(rows));
  }
}

class BlockSource {
 public:
  explicit BlockSource(const SyntheticSpec& spec)
      : spec_(spec),
        blocks_(spec.footprint_bytes / spec.block_bytes),
        row_blocks_(spec.row_bytes / spec.block_bytes),
        block_(stream_of(spec, draw_block)),
        row_(stream_of(spec, draw_row)),
        hot_(stream_of(spec, draw_hot)) {
    if (spec.pattern == Pattern::hot_rows) draw_hot_rows();
    if (spec.pattern == Pattern::zipf) deal_ranks();
  }

  std::uint64_t next() {
    switch (spec_.pattern) {
      case Pattern::sequential:
        return at_++ % blocks_;
      case Pattern::strided:
        return next_strided();
      case Pattern::random:
        return draw_below(block_, blocks_);
      case Pattern::hot_rows:
        if (hot_.below(100) >= spec_.hot_percent) return draw_below(block_, blocks_);
        return within(rows_[row_.below(static_cast<std::uint32_t>(rows_.size()))]);
      case Pattern::zipf:
        return within(rows_[ranked_row()]);
    }
    return 0;
  }

 private:
  std::uint64_t next_strided() {
    const std::uint64_t block = at_;
    at_ += spec_.stride_bytes / spec_.block_bytes;
    if (at_ >= blocks_) {
      first_ = (first_ + 1) % (spec_.stride_bytes / spec_.block_bytes);
      at_ = first_;
    }
    return block;
  }

  std::uint64_t within(std::uint64_t row) { return row * row_blocks_ + block_.below(row_blocks_); }

  // Different ones. Few of very many rows as a rule, so that none is kept but these.
  void draw_hot_rows() {
    const std::uint64_t rows = spec_.footprint_bytes / spec_.row_bytes;
    PhiloxStream draw = stream_of(spec_, draw_ranks);
    // Floyd's sampling: the j-th is drawn of the first j rows; one that is there already becomes j itself.
    std::vector<std::uint64_t> sorted;
    for (std::uint64_t j = rows - spec_.hot_rows; j < rows; ++j) {
      std::uint64_t row = draw_below(draw, j + 1);
      auto place = std::ranges::lower_bound(sorted, row);
      if (place != sorted.end() && *place == row) {
        row = j;
        place = sorted.end();
      }
      sorted.insert(place, row);
      rows_.push_back(row);
    }
  }

  void deal_ranks() {
    const std::uint64_t rows = spec_.footprint_bytes / spec_.row_bytes;
    rows_.resize(rows);
    std::iota(rows_.begin(), rows_.end(), std::uint64_t{0});
    PhiloxStream draw = stream_of(spec_, draw_ranks);
    for (std::uint64_t i = rows; i > 1; --i) std::swap(rows_[i - 1], rows_[draw.below(static_cast<std::uint32_t>(i))]);
    // Whole weights, so that the sum is exact; the rarest rank keeps a weight of 1.
    constexpr double kScale = 0x1p40;
    std::uint64_t sum = 0;
    for (std::uint64_t rank = 1; rank <= rows; ++rank) {
      sum +=
          std::max<std::uint64_t>(1, static_cast<std::uint64_t>(kScale * std::pow(static_cast<double>(rank), -spec_.exponent)));
      cumulative_.push_back(sum);
    }
  }

  // 2^22 weights of 2^40 at most: a draw of 64 bits is as good as uniform.
  std::size_t ranked_row() {
    __extension__ using Wide = unsigned __int128;
    const std::uint64_t high = row_.next();
    const std::uint64_t draw = high << 32 | row_.next();
    const auto target = static_cast<std::uint64_t>(static_cast<Wide>(draw) * cumulative_.back() >> 64);
    return static_cast<std::size_t>(std::ranges::upper_bound(cumulative_, target) - cumulative_.begin());
  }

  const SyntheticSpec& spec_;
  std::uint64_t blocks_;
  std::uint32_t row_blocks_;
  std::uint64_t at_ = 0, first_ = 0;
  PhiloxStream block_, row_, hot_;
  std::vector<std::uint64_t> rows_;        // hot ones, or of every rank
  std::vector<std::uint64_t> cumulative_;  // (rank) sums of weights
};

}  // namespace

const std::vector<std::string>& pattern_names() {
  static const std::vector<std::string> kNames{"sequential", "strided", "random", "hot-rows", "zipf"};
  return kNames;
}

Pattern find_pattern(const std::string& name) {
  const auto found = std::ranges::find(pattern_names(), name);
  if (found != pattern_names().end()) return static_cast<Pattern>(found - pattern_names().begin());
  std::string all;
  for (const std::string& known : pattern_names()) all += (all.empty() ? "" : ", ") + known;
  throw UsageError("unknown pattern '" + name + "'" + did_you_mean(name, pattern_names()) + ", expected one of: " + all);
}

void make_trace(const SyntheticSpec& spec, const std::filesystem::path& out) {
  check_spec(spec, out);
  BlockSource blocks(spec);
  PhiloxStream writes = stream_of(spec, draw_write);
  TraceWriter writer(out);
  std::uint64_t issue = 0;
  for (std::uint64_t i = 0; i < spec.requests; ++i) {
    if (i > 0) issue += spec.interval + (spec.group > 0 && i % spec.group == 0 ? spec.pause : 0);
    writer.write(
        {.issue = issue, .address = blocks.next() * spec.block_bytes, .is_write = writes.below(100) < spec.write_percent});
  }
  writer.commit();
}

}  // namespace exarch::dram
