// Reads binary traces, compressed or not, in bounded memory. For the files of this folder.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "host/error.hpp"
#include "host/files/byte_stream.hpp"

namespace exarch::dram {

class BinaryReader {
 public:
  explicit BinaryReader(const std::filesystem::path& path) : stream_(path), buffer_(std::size_t{1} << 16) {}

  // Up to `size` bytes; fewer at the end of the file only.
  std::size_t read(char* out, std::size_t size) {
    std::size_t done = 0;
    while (done < size) {
      if (begin_ == end_) {
        begin_ = 0;
        end_ = stream_.read(buffer_.data(), buffer_.size());
        if (end_ == 0) break;
      }
      const std::size_t count = std::min(size - done, end_ - begin_);
      std::memcpy(out + done, buffer_.data() + begin_, count);
      begin_ += count;
      done += count;
    }
    position_ += done;
    return done;
  }

  [[nodiscard]] std::uint64_t position() const { return position_; }  // byte of the decompressed content
  [[nodiscard]] const std::string& path() const { return stream_.path(); }
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(path() + ": byte " + std::to_string(position_) + ": " + what);
  }

 private:
  ByteStream stream_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t position_ = 0;
};

}  // namespace exarch::dram
