// Lists of a program's memory accesses: Valgrind's lackey (--trace-mem=yes) and Pin's pinatrace. No times, no caches.
#include "host/dram/formats/formats.hpp"
#include "host/dram/formats/lines.hpp"

namespace exarch::dram {
namespace {

// " L 1ffeffe7e0,8", " S ...", " M ..." (a load, then a store), "I  4001000,3" (an instruction), and Valgrind's own lines, "==1==
// ..."
class LackeyReader final : public LineRequests {
 public:
  explicit LackeyReader(const std::filesystem::path& path) : LineRequests(path, " L 1ffeffe7e0,8") {}

  [[nodiscard]] std::string note() const override {
    return fetches_ == 0 ? "" : std::to_string(fetches_) + " instruction fetches (I) are left out";
  }

 private:
  bool parse(std::string_view line, TraceRequest& request) override {
    if (line.starts_with("==") || line.starts_with("--")) return false;
    Fields fields(line);
    const std::string_view word = fields.take(), place = fields.take();
    const bool store = word == "S", both = word == "M", fetch = word == "I";
    if (!store && !both && !fetch && word != "L") {
      lines().fail("unknown access '" + escaped(word, 40) +
                   "', expected L, S, M or I; what the program prints belongs elsewhere (valgrind --log-file=FILE)");
    }
    const std::size_t comma = place.find(',');
    if (comma == std::string_view::npos) lines().fail("expected an address, a comma and a size");
    request = {
        .issue = count(), .address = parse_address(lines(), place.substr(0, comma), HexPrefix::optional), .is_write = store};
    request.bytes = length(place.substr(comma + 1));
    expect_end(fields);
    fetches_ += fetch ? 1u : 0u;
    store_follows_ = both;
    access_ = request;
    return !fetch;
  }

  bool pending(TraceRequest& request) override {
    if (!store_follows_) return false;
    store_follows_ = false;
    request = access_;
    request.issue = count();
    request.is_write = true;
    return true;
  }

  bool store_follows_ = false;
  TraceRequest access_{};  // of the line read last
  std::uint64_t fetches_ = 0;
};

// "0x7f1c: R 0x7ffd10", with an optional size in bytes; "#eof" ends the list.
class PinReader final : public LineRequests {
 public:
  explicit PinReader(const std::filesystem::path& path) : LineRequests(path, "0x401000: R 0x7FFD10") {}

 private:
  bool parse(std::string_view line, TraceRequest& request) override {
    Fields fields(line);
    std::string_view ip = fields.take();
    if (!ip.ends_with(':')) lines().fail("expected the instruction's address with a ':' behind it");
    ip.remove_suffix(1);
    (void)parse_address(lines(), ip, HexPrefix::required);
    request = {.issue = count(), .address = 0, .is_write = direction(fields.take(), {"R"}, {"W"})};
    request.address = parse_address(lines(), fields.take(), HexPrefix::required);
    if (!fields.empty()) request.bytes = length(fields.take());
    expect_end(fields);
    return true;
  }
};

}  // namespace

RequestReaderPtr open_lackey(const std::filesystem::path& path, const ReadOptions& /*options*/) {
  return std::make_unique<LackeyReader>(path);
}

RequestReaderPtr open_pin(const std::filesystem::path& path, const ReadOptions& /*options*/) {
  return std::make_unique<PinReader>(path);
}

}  // namespace exarch::dram
