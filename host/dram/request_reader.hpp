// What every reader of a trace hands out, whatever the file's format: requests, one by one, in bounded memory.
//
//   const auto reader = open_trace("run.trc", {});   // host/dram/formats/formats.hpp
//   TraceRequest request{};
//   while (reader->next(request)) ...
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace exarch::dram {

struct TraceRequest {
  std::uint64_t issue;  // player cycles: absolute (.stl) or gap (.rstl)
  std::uint64_t address;
  bool is_write;
  std::uint32_t bytes = 0;  // as DRAMSys 5 has them before the command, "(64)"; 0: not written, one burst
};

// Most bytes that one request may have.
inline constexpr std::uint32_t kMaxRequestBytes = 65536;

class RequestReader {
 public:
  RequestReader() = default;
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;
  virtual ~RequestReader() = default;

  // False at the end of the trace. Error with the place in the file for what is no request, and for a trace without any.
  virtual bool next(TraceRequest& request) = 0;
  // For rules that are checked by the caller: an error about the request handed out last.
  [[noreturn]] virtual void fail(std::string_view what) const = 0;
  // Whether times are gaps (.rstl).
  [[nodiscard]] virtual bool relative() const { return false; }
  // After the last request: what was left out or assumed, a sentence's end without its point; "" where there is nothing to say.
  [[nodiscard]] virtual std::string note() const { return ""; }
};

// What a format leaves open.
struct ReadOptions {
  std::uint32_t clk_mhz = 800;     // the player's clock, for times that are no cycles
  std::uint32_t word_bytes = 1;    // for addresses that count elements of an array
  std::optional<bool> is_write{};  // for formats without directions; by the file's name otherwise
};

}  // namespace exarch::dram
