// The bytes of a file, decompressed if it is compressed by gzip or zstd: in bounded memory, from a file or a pipe.
//
//   ByteStream stream("trace.stl");
//   while (const std::size_t got = stream.read(buffer, sizeof buffer)) ...
//
// A gzip file is a row of members (as pigz, bgzip and `cat a.gz b.gz` make them); all are read. After the last one zeros may
// follow (tapes and some copying tools pad with them). Anything else behind a member, a member that is cut off, and a checksum
// that does not match are errors: what was read before may be half of the content, and must not be taken for all of it.
// A zstd file is a row of frames in the same way, without padding; windows of up to 128 MiB (zstd -19, not --ultra --long=31).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace exarch {

class ByteStream {
 public:
  // Throws Error if the file cannot be opened.
  explicit ByteStream(const std::filesystem::path& path);
  ~ByteStream();
  ByteStream(ByteStream&&) noexcept;

  // Up to `size` bytes into `out`; 0 at the end only. Error with the place (byte of the file as it lies on the disk) for a
  // damaged one.
  std::size_t read(char* out, std::size_t size);

  [[nodiscard]] bool compressed() const { return inflater_ != nullptr || frames_ != nullptr; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Closer {
    void operator()(std::FILE* file) const;
  };
  struct Inflater;
  struct Frames;

  void fill();
  std::size_t read_plain(char* out, std::size_t size);
  std::size_t inflate_into(char* out, std::size_t size);
  std::size_t unframe_into(char* out, std::size_t size);
  bool begin_next_member();
  [[nodiscard]] std::uint64_t position() const { return bytes_read_ - (end_ - begin_); }
  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail_frame(const std::string& what) const;

  std::string path_;
  std::unique_ptr<std::FILE, Closer> file_;
  std::vector<unsigned char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // what of the buffer is not consumed
  std::uint64_t bytes_read_ = 0;
  bool end_of_file_ = false;
  std::unique_ptr<Inflater> inflater_;  // of a file compressed by gzip
  std::unique_ptr<Frames> frames_;      // by zstd
};

// The name less the ending of a compressed file: "run.stl" of run.stl.gz and run.stl.zst.
[[nodiscard]] std::filesystem::path uncompressed_name(const std::filesystem::path& path);

// A whole text file that is not compressed. Error if it cannot be read, or holds more than `most_bytes`; `expected` says what was
// to be read: "a design space file".
[[nodiscard]] std::string read_text(const std::filesystem::path& path, const std::string& expected,
                                    std::size_t most_bytes = std::size_t{16} << 20);

}  // namespace exarch
