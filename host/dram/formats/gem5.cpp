// gem5's packet traces in binary form: the four bytes "gem5", then messages of protobuf, each behind its length. The first one is
// the header (3: ticks per second), the others are packets (1: tick, 2: command, 3: address, 4: size). Of commands 1 is ReadReq
// and 4 is WriteReq, as gem5's util/decode_packet_trace.py takes them; what the others are differs between versions of gem5.
#include <map>

#include "host/dram/formats/formats.hpp"
#include "host/dram/formats/lines.hpp"
#include "host/dram/formats/records.hpp"

namespace exarch::dram {
namespace {

constexpr std::uint64_t kReadReq = 1, kWriteReq = 4;
constexpr std::uint64_t kMostMessageBytes = std::uint64_t{1} << 24;

struct ProtoField {
  std::uint64_t number = 0;
  bool is_number = false;
  std::uint64_t value = 0;
};

class Gem5Reader final : public RequestReader {
 public:
  Gem5Reader(const std::filesystem::path& path, std::uint32_t clk_mhz) : bytes_(path), clk_mhz_(clk_mhz) {
    char magic[4];
    if (bytes_.read(magic, 4) != 4 || std::string_view(magic, 4) != "gem5") bytes_.fail("the file does not begin with \"gem5\"");
    read_header();
  }

  bool next(TraceRequest& request) override {
    while (read_message()) {
      ++packets_;
      if (parse_packet(request)) {
        ++requests_;
        return true;
      }
    }
    if (requests_ == 0) throw Error(bytes_.path() + ": the trace has no requests" + (note().empty() ? "" : ": " + note()));
    return false;
  }

  [[noreturn]] void fail(std::string_view what) const override {
    throw Error(bytes_.path() + ": packet " + std::to_string(packets_) + ", which ends at byte " +
                std::to_string(bytes_.position()) + ": " + std::string(what));
  }

  [[nodiscard]] std::string note() const override {
    std::string text;
    for (const auto& [command, count] : left_out_) {
      text += (text.empty() ? "" : ", ") + std::to_string(count) + " of command " + std::to_string(command);
    }
    return text.empty() ? "" : "packets that are neither ReadReq (1) nor WriteReq (4) are left out: " + text;
  }

 private:
  // False at the end of the file, before the first byte.
  bool read_varint(std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      unsigned char byte = 0;
      if (bytes_.read(reinterpret_cast<char*>(&byte), 1) == 0) {
        if (shift == 0) return false;
        bytes_.fail("the file is cut off inside a number");
      }
      if (shift < 64) value |= std::uint64_t{byte & 0x7Fu} << shift;
      if ((byte & 0x80u) == 0) return true;
    }
    bytes_.fail("a number longer than 64 bits");
  }

  bool read_message() {
    std::uint64_t size = 0;
    if (!read_varint(size)) return false;
    if (size > kMostMessageBytes) bytes_.fail("a message of " + std::to_string(size) + " bytes; the file is damaged");
    message_.resize(size);
    if (bytes_.read(message_.data(), size) != size) bytes_.fail("the file is cut off inside a message");
    at_ = 0;
    return true;
  }

  [[nodiscard]] std::uint64_t message_varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && at_ < message_.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(message_[at_++]);
      if (shift < 64) value |= std::uint64_t{byte & 0x7Fu} << shift;
      if ((byte & 0x80u) == 0) return value;
    }
    bytes_.fail("a damaged message");
  }

  // The next field of the message; what is no number is passed over.
  bool next_field(ProtoField& field) {
    if (at_ == message_.size()) return false;
    const std::uint64_t key = message_varint();
    field = {.number = key >> 3, .is_number = (key & 7u) == 0, .value = 0};
    std::uint64_t skip = 0;
    switch (key & 7u) {
      case 0:
        field.value = message_varint();
        break;
      case 1:
        skip = 8;
        break;
      case 2:
        skip = message_varint();
        break;
      case 5:
        skip = 4;
        break;
      default:
        bytes_.fail("a damaged message");
    }
    if (skip > message_.size() - at_) bytes_.fail("a damaged message");
    at_ += skip;
    return true;
  }

  void read_header() {
    if (!read_message()) bytes_.fail("the header is missing");
    ProtoField field;
    while (next_field(field)) {
      // Of packet traces, field 4 is a list of names; of instruction traces it is a number.
      if (field.number == 4 && field.is_number) {
        throw Error(
            bytes_.path() +
            ": is a gem5 trace of instructions (elastic or inst_trace), whose memory accesses get their times from a model "
            "of the core; replay it in gem5 (TraceCPU) with a CommMonitor before the memory, and give its packet trace");
      }
      if (field.number == 3 && field.is_number) hertz_ = field.value;
    }
    if (hertz_ == 0) bytes_.fail("the header has no ticks per second");
  }

  bool parse_packet(TraceRequest& request) {
    constexpr std::uint64_t kAbsent = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t tick = kAbsent, command = kAbsent, size = 0;
    bool has_address = false;
    request = {};
    ProtoField field;
    while (next_field(field)) {
      if (!field.is_number) continue;
      if (field.number == 1) tick = field.value;
      if (field.number == 2) command = field.value;
      if (field.number == 3) request.address = field.value;
      has_address = has_address || field.number == 3;
      if (field.number == 4) size = field.value;
    }
    if (tick == kAbsent || command == kAbsent) fail("the tick or the command is missing");
    if (command != kReadReq && command != kWriteReq) {
      // Damaged files must not make the list of commands grow.
      ++left_out_[left_out_.size() < 100 || left_out_.contains(command) ? command : kAbsent];
      return false;
    }
    if (!has_address) fail("the address is missing");
    if (size > kMaxRequestBytes) {
      fail("a size of " + std::to_string(size) + " bytes; expected at most " + std::to_string(kMaxRequestBytes));
    }
    request.is_write = command == kWriteReq;
    request.bytes = static_cast<std::uint32_t>(size);
    request.issue = cycles_of(*this, tick, hertz_, clk_mhz_);
    return true;
  }

  BinaryReader bytes_;
  std::uint32_t clk_mhz_;
  std::uint64_t hertz_ = 1'000'000'000'000;
  std::string message_;
  std::size_t at_ = 0;
  std::uint64_t packets_ = 0, requests_ = 0;
  std::map<std::uint64_t, std::uint64_t> left_out_;  // by command
};

}  // namespace

RequestReaderPtr open_gem5(const std::filesystem::path& path, const ReadOptions& options) {
  return std::make_unique<Gem5Reader>(path, options.clk_mhz);
}

}  // namespace exarch::dram
