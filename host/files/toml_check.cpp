#include "host/files/toml_check.hpp"

#include <algorithm>
#include <utility>

#include "host/error.hpp"
#include "host/files/json.hpp"
#include "host/files/text.hpp"

namespace exarch {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// Digits of a base up to 16, each `_` between two of them; takes them off `word`.
bool take_digits(std::string_view& word, int base) {
  const auto is_digit = [base](char c) {
    const int value = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : 99;
    return value < base;
  };
  std::size_t end = 0;
  while (end < word.size() && (is_digit(word[end]) || (word[end] == '_' && end > 0 && word[end - 1] != '_'))) ++end;
  const bool good = end > 0 && word[end - 1] != '_';
  word.remove_prefix(end);
  return good;
}

// +12, 1_000, 0xFF, 1.5e-3, -inf, nan, true.
bool is_plain_value(std::string_view word) {
  if (word == "true" || word == "false") return true;
  const bool has_sign = word.starts_with('+') || word.starts_with('-');
  for (const auto& [prefix, base] : {std::pair{"0x", 16}, {"0o", 8}, {"0b", 2}}) {
    if (!word.starts_with(prefix)) continue;
    word.remove_prefix(2);
    return take_digits(word, base) && word.empty();
  }
  if (has_sign) word.remove_prefix(1);
  if (word == "inf" || word == "nan") return true;
  if (!take_digits(word, 10)) return false;
  if (word.starts_with('.')) {
    word.remove_prefix(1);
    if (!take_digits(word, 10)) return false;
  }
  if (word.starts_with('e') || word.starts_with('E')) {
    word.remove_prefix(1);
    if (word.starts_with('+') || word.starts_with('-')) word.remove_prefix(1);
    if (!take_digits(word, 10)) return false;
  }
  return word.empty();
}

class Checker {
 public:
  Checker(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  void run() {
    if (!is_utf8(text_)) {
      while (is_utf8(text_.substr(0, text_.find('\n', at_)))) skip_to(text_.find('\n', at_) + 1);
      fail("not UTF-8; save the file as UTF-8");
    }
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // a byte order mark
    while (skip_empty()) {
      if (peek() == '[') {
        header();
      } else {
        key("a key");
        if (peek() != '=') fail("expected '=' behind the key" + found());
        ++at_;
        value(1);
      }
      end_of_line();
    }
  }

 private:
  [[nodiscard]] bool done() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\n'; }
  void skip_to(std::size_t at) { at_ = std::min(at, text_.size()); }
  void skip_blanks() {
    while (!done() && is_blank(text_[at_])) ++at_;
  }

  [[noreturn]] void fail(const std::string& what) const {
    const auto before = text_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, text_.size()));
    throw Error(where_ + ":" + std::to_string(1 + std::count(text_.begin(), before, '\n')) + ": " + what);
  }
  [[nodiscard]] std::string found() const {
    if (done() || peek() == '\n' || peek() == '\r') return ", found the end of the line";
    const std::string_view rest = text_.substr(at_);
    return ", found " + in_quotes(rest.substr(0, std::min(rest.find_first_of(" \t\r\n"), rest.size())), 20);
  }
  void check_depth(int depth, const char* what) const {
    if (depth > kDeepest) fail(std::string(what) + " more than " + std::to_string(kDeepest) + " deep");
  }

  void comment() {
    for (; !done() && peek() != '\n'; ++at_) {
      const auto c = static_cast<unsigned char>(peek());
      const bool line_end = c == '\r' && peek(1) == '\n';
      if ((c < 0x20 && c != '\t' && !line_end) || c == 0x7F) fail("a control character in a comment");
    }
  }

  // Blank lines and comments; false at the end.
  bool skip_empty() {
    while (!done()) {
      if (is_blank(peek()) || peek() == '\n' || (peek() == '\r' && peek(1) == '\n')) {
        ++at_;
      } else if (peek() == '#') {
        comment();
      } else {
        return true;
      }
    }
    return false;
  }

  void end_of_line() {
    skip_blanks();
    if (peek() == '#') comment();
    if (peek() == '\r' && peek(1) == '\n') ++at_;
    if (!done() && peek() != '\n') fail("expected the end of the line" + found());
  }

  // A string, from its first quote to behind its last. What escapes like \u00E9 mean is left to the parser.
  void string(bool may_have_lines) {
    const char quote = peek();
    const bool lines = peek(1) == quote && peek(2) == quote;
    if (lines && !may_have_lines) fail("a key must not have several lines");
    const std::size_t begin = at_;
    at_ += lines ? 3 : 1;
    for (; !done(); ++at_) {
      const char c = peek();
      if (c == '\\' && quote == '"') {
        // The parser may also join lines here, or go wrong where a character follows that is no escape.
        if (std::string_view("btnfr\"\\uU").find(peek(1)) == std::string_view::npos) {
          fail("a backslash that begins no escape; write \\\\ for a backslash, or put the text between '");
        }
        ++at_;
      } else if (c == quote && (!lines || (peek(1) == quote && peek(2) == quote))) {
        at_ += lines ? 3 : 1;
        // Up to two quotes may stand before the closing three.
        for (int more = 0; lines && more < 2 && !done() && peek() == quote; ++more) ++at_;
        return;
      } else if (c == '\n' && !lines) {
        break;
      } else if ((static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F) {
        fail("a control character in a text; write \\uXXXX");
      }
    }
    at_ = begin;
    fail("a text that does not end; close it with " + std::string(lines ? 3 : 1, quote));
  }

  // a."b".c, and the blanks behind it.
  void key(const std::string& what) {
    for (int depth = 1;; ++depth) {
      check_depth(depth, "a key");
      skip_blanks();
      if (!done() && (peek() == '"' || peek() == '\'')) {
        string(false);
      } else {
        if (done() || !is_bare(peek())) fail("expected " + what + " (letters, digits, _ and -, or a text in quotes)" + found());
        while (!done() && is_bare(peek())) ++at_;
      }
      skip_blanks();
      if (done() || peek() != '.') return;
      ++at_;
    }
  }

  void header() {
    const bool list = peek(1) == '[';
    const std::string close(list ? 2 : 1, ']');
    at_ += close.size();
    key("the name of a table");
    if (!text_.substr(at_).starts_with(close)) fail("expected " + close + " behind the name of the table" + found());
    at_ += close.size();
  }

  void value(int depth) {
    skip_blanks();
    const char c = done() ? '\n' : peek();
    if (c == '[') {
      check_depth(depth, "lists and tables within each other");
      ++at_;
      list(depth);
    } else if (c == '{') {
      check_depth(depth, "lists and tables within each other");
      ++at_;
      table(depth);
    } else if (c == '"' || c == '\'') {
      string(true);
    } else {
      plain();
    }
  }

  // A number, true or false. Dates, which TOML has too, mean nothing here.
  void plain() {
    const std::size_t begin = at_;
    while (!done() && (is_bare(peek()) || peek() == '+' || peek() == '.' || peek() == ':')) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (is_plain_value(word)) return;
    at_ = begin;
    fail("expected a value (a text in quotes, a number, true, false, or a list or table of them)" + found());
  }

  void list(int depth) {
    while (true) {
      if (!skip_empty()) fail("a list that does not end; close it with ]");
      if (peek() == ']') break;
      value(depth + 1);
      if (!skip_empty()) fail("a list that does not end; close it with ]");
      if (peek() == ']') break;
      if (peek() != ',') fail("expected ',' or ']' in a list" + found());
      ++at_;
    }
    ++at_;
  }

  void table(int depth) {
    skip_blanks();
    if (peek() == '}') {
      ++at_;
      return;
    }
    while (true) {
      key("a key");
      if (peek() != '=') fail("expected '=' behind the key" + found());
      ++at_;
      value(depth + 1);
      skip_blanks();
      if (peek() == '}') break;
      if (peek() != ',') fail("expected ',' or '}' in a table" + found());
      ++at_;
    }
    ++at_;
  }

  std::string_view text_;
  const std::string& where_;
  std::size_t at_ = 0;
};

}  // namespace

void check_toml(std::string_view text, const std::string& where) {
  Checker(text, where).run();
}

}  // namespace exarch
