// ChampSim's traces: 64 bytes an instruction, little endian: its address (8), whether it is a branch and taken (1, 1), 2 + 4
// registers (1 each), 2 addresses that it writes (8 each) and 4 that it reads (8 each); 0 is no address. Loads come before
// stores.
#include <array>

#include "host/dram/formats/formats.hpp"
#include "host/dram/formats/lines.hpp"
#include "host/dram/formats/records.hpp"

namespace exarch::dram {
namespace {

constexpr std::size_t kInstructionBytes = 64, kStoresAt = 16, kLoadsAt = 32;
constexpr std::size_t kWords = (kInstructionBytes - kStoresAt) / 8, kStores = (kLoadsAt - kStoresAt) / 8;

class ChampsimReader final : public RequestReader {
 public:
  explicit ChampsimReader(const std::filesystem::path& path) : bytes_(path) {}

  bool next(TraceRequest& request) override {
    while (true) {
      for (; word_ < kWords; ++word_) {
        const std::size_t slot = (word_ + kStores) % kWords;  // the loads first
        const std::uint64_t address = word(kStoresAt + 8 * slot);
        if (address == 0) continue;
        request = {.issue = requests_++, .address = address, .is_write = slot < kStores};
        ++word_;
        return true;
      }
      const std::size_t got = bytes_.read(record_.data(), record_.size());
      if (got == 0) break;
      if (got < record_.size()) bytes_.fail("the file is cut off inside an instruction of 64 bytes");
      ++instructions_;
      word_ = 0;
      const auto branch = static_cast<unsigned char>(record_[8]), taken = static_cast<unsigned char>(record_[9]);
      if (branch > 1 || taken > 1) fail("bytes 9 and 10 say whether it is a branch and whether it is taken: 0 or 1 each");
    }
    if (requests_ == 0) throw Error(bytes_.path() + ": the trace has no requests: no instruction reads or writes memory");
    return false;
  }

  [[noreturn]] void fail(std::string_view what) const override {
    throw Error(bytes_.path() + ": instruction " + std::to_string(instructions_) + ", which ends at byte " +
                std::to_string(bytes_.position()) + ": " + std::string(what));
  }

  [[nodiscard]] std::string note() const override {
    return std::to_string(instructions_) + " instructions, whose fetches are left out";
  }

 private:
  [[nodiscard]] std::uint64_t word(std::size_t at) const {
    std::uint64_t value = 0;
    for (std::size_t i = 8; i-- > 0;) value = value << 8 | static_cast<unsigned char>(record_[at + i]);
    return value;
  }

  BinaryReader bytes_;
  std::array<char, kInstructionBytes> record_{};
  std::size_t word_ = kWords;
  std::uint64_t instructions_ = 0, requests_ = 0;
};

}  // namespace

RequestReaderPtr open_champsim(const std::filesystem::path& path, const ReadOptions& /*options*/) {
  return std::make_unique<ChampsimReader>(path);
}

}  // namespace exarch::dram
