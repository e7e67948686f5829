#include "host/files/byte_stream.hpp"

#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>
#include <system_error>

#include "host/error.hpp"

namespace exarch {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 17;
constexpr unsigned char kMagic[] = {0x1F, 0x8B};
constexpr std::size_t kFrameMagicBytes = 4;

// A frame of zstd, or one that holds nothing for the reader (parallel compressors begin with such).
bool is_frame_magic(const unsigned char* bytes) {
  const bool frame = bytes[0] == 0x28 && bytes[1] == 0xB5 && bytes[2] == 0x2F && bytes[3] == 0xFD;
  const bool skippable = bytes[0] >= 0x50 && bytes[0] <= 0x5F && bytes[1] == 0x2A && bytes[2] == 0x4D && bytes[3] == 0x18;
  return frame || skippable;
}

}  // namespace

struct ByteStream::Inflater {
  Inflater() {
    constexpr int kGzipOnly = MAX_WBITS + 16;
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream); }

  z_stream stream{};
  std::uint64_t member_begin = 0;  // byte of the file
  bool inside = true;              // a member; false behind the last
};

struct ByteStream::Frames {
  Frames() : stream(ZSTD_createDStream()) {
    if (stream == nullptr) throw std::bad_alloc();
  }
  Frames(const Frames&) = delete;
  Frames& operator=(const Frames&) = delete;
  ~Frames() { ZSTD_freeDStream(stream); }

  ZSTD_DStream* stream;
  bool inside = true;  // a frame
};

void ByteStream::Closer::operator()(std::FILE* file) const {
  std::fclose(file);
}

ByteStream::ByteStream(const std::filesystem::path& path) : path_(path.string()) {
  std::error_code none;
  if (std::filesystem::is_directory(path, none)) throw Error(path_ + ": is a directory, expected a file");
  file_.reset(std::fopen(path.c_str(), "rb"));
  if (!file_) throw Error(path_ + ": cannot open the file: " + std::strerror(errno));
  std::setvbuf(file_.get(), nullptr, _IONBF, 0);
  buffer_.resize(kBufferBytes);
  while (end_ < kFrameMagicBytes && !end_of_file_) fill();
  if (end_ >= kFrameMagicBytes && is_frame_magic(buffer_.data())) frames_ = std::make_unique<Frames>();
  if (end_ >= sizeof kMagic && std::equal(std::begin(kMagic), std::end(kMagic), buffer_.begin())) {
    inflater_ = std::make_unique<Inflater>();
  }
}

ByteStream::~ByteStream() = default;
ByteStream::ByteStream(ByteStream&&) noexcept = default;

// Reads on behind what is not consumed.
void ByteStream::fill() {
  if (begin_ > 0) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), buffer_.begin() + static_cast<std::ptrdiff_t>(end_),
              buffer_.begin());
    end_ -= begin_;
    begin_ = 0;
  }
  errno = 0;
  const std::size_t got = std::fread(buffer_.data() + end_, 1, buffer_.size() - end_, file_.get());
  if (std::ferror(file_.get()) != 0) throw Error(path_ + ": reading failed: " + std::strerror(errno));
  end_ += got;
  bytes_read_ += got;
  end_of_file_ = got == 0;
}

std::size_t ByteStream::read(char* out, std::size_t size) {
  if (size == 0) return 0;
  if (frames_ != nullptr) return unframe_into(out, size);
  return inflater_ == nullptr ? read_plain(out, size) : inflate_into(out, size);
}

std::size_t ByteStream::read_plain(char* out, std::size_t size) {
  if (begin_ == end_) {
    if (end_of_file_) return 0;
    errno = 0;
    const std::size_t got = std::fread(out, 1, size, file_.get());
    if (std::ferror(file_.get()) != 0) throw Error(path_ + ": reading failed: " + std::strerror(errno));
    end_of_file_ = got == 0;
    return got;
  }
  const std::size_t count = std::min(size, end_ - begin_);
  std::memcpy(out, buffer_.data() + begin_, count);
  begin_ += count;
  return count;
}

std::size_t ByteStream::inflate_into(char* out, std::size_t size) {
  z_stream& stream = inflater_->stream;
  const std::size_t wanted = std::min<std::size_t>(size, std::numeric_limits<uInt>::max());
  stream.next_out = reinterpret_cast<Bytef*>(out);
  stream.avail_out = static_cast<uInt>(wanted);
  while (stream.avail_out == wanted) {
    if (!inflater_->inside && !begin_next_member()) return 0;
    if (begin_ == end_ && !end_of_file_) fill();
    stream.next_in = buffer_.data() + begin_;
    stream.avail_in = static_cast<uInt>(end_ - begin_);
    const int code = inflate(&stream, Z_NO_FLUSH);
    begin_ = end_ - stream.avail_in;
    if (code == Z_STREAM_END) {
      inflater_->inside = false;
    } else if (code == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (code == Z_NEED_DICT || (code != Z_OK && code != Z_BUF_ERROR)) {
      fail(std::string("the compressed data are damaged (") + (stream.msg != nullptr ? stream.msg : "unknown method") + ")");
    } else if (begin_ == end_ && end_of_file_ && stream.avail_out == wanted) {
      fail("the file is cut off inside its compressed data");
    }
  }
  return wanted - stream.avail_out;
}

std::size_t ByteStream::unframe_into(char* out, std::size_t size) {
  ZSTD_outBuffer output{out, size, 0};
  while (output.pos == 0) {
    if (begin_ == end_ && !end_of_file_) fill();
    if (begin_ == end_ && !frames_->inside) return 0;
    ZSTD_inBuffer input{buffer_.data() + begin_, end_ - begin_, 0};
    const std::size_t left = ZSTD_decompressStream(frames_->stream, &output, &input);
    begin_ += input.pos;
    if (ZSTD_isError(left) != 0) fail_frame(std::string("the compressed data are damaged (") + ZSTD_getErrorName(left) + ")");
    frames_->inside = left != 0;
    if (frames_->inside && output.pos == 0 && begin_ == end_ && end_of_file_) {
      fail_frame("the file is cut off inside its compressed data");
    }
  }
  return output.pos;
}

void ByteStream::fail_frame(const std::string& what) const {
  throw Error(path_ + ": byte " + std::to_string(position()) + ": " + what +
              "; copy or download the file again, or compress it anew (zstd -t FILE checks one)");
}

// Behind a member: true at the beginning of another one, false at the end of the file, zeros passed over.
bool ByteStream::begin_next_member() {
  while (end_ - begin_ < sizeof kMagic && !end_of_file_) fill();
  if (begin_ == end_) return false;
  if (end_ - begin_ >= sizeof kMagic && buffer_[begin_] == kMagic[0] && buffer_[begin_ + 1] == kMagic[1]) {
    inflateReset(&inflater_->stream);
    inflater_->inside = true;
    inflater_->member_begin = position();
    return true;
  }
  do {
    const auto from = buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
               to = buffer_.begin() + static_cast<std::ptrdiff_t>(end_);
    begin_ += static_cast<std::size_t>(std::find_if(from, to, [](unsigned char byte) { return byte != 0; }) - from);
    if (begin_ != end_) fail("what follows the compressed data is neither compressed nor zeros");
    fill();
  } while (!end_of_file_);
  return false;
}

void ByteStream::fail(const std::string& what) const {
  std::string member;
  if (inflater_->member_begin > 0) member = ", in the part that begins at byte " + std::to_string(inflater_->member_begin);
  throw Error(path_ + ": byte " + std::to_string(position()) + member + ": " + what +
              "; copy or download the file again, or compress it anew (gzip -t FILE checks one)");
}

std::filesystem::path uncompressed_name(const std::filesystem::path& path) {
  return path.extension() == ".gz" || path.extension() == ".zst" ? path.parent_path() / path.stem() : path;
}

std::string read_text(const std::filesystem::path& path, const std::string& expected, std::size_t most_bytes) {
  std::error_code none;
  if (std::filesystem::is_directory(path, none)) throw Error(path.string() + ": is a directory, expected " + expected);
  errno = 0;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) throw Error(path.string() + ": cannot open the file: " + std::strerror(errno));
  std::string text;
  std::vector<char> chunk(std::size_t{1} << 16);
  while (const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), file.get())) {
    text.append(chunk.data(), got);
    if (text.size() > most_bytes) {
      throw Error(path.string() + ": larger than " + std::to_string(most_bytes >> 20) + " MiB, not " + expected);
    }
  }
  if (std::ferror(file.get()) != 0) throw Error(path.string() + ": reading failed: " + std::strerror(errno));
  return text;
}

}  // namespace exarch
