#include "host/timeloop/yaml_expressions.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>

#include "host/error.hpp"
#include "host/files/text.hpp"

namespace exarch::timeloop {
namespace {

constexpr int kMaxExpressionDepth = 64;
constexpr std::size_t kMaxExpressionBytes = 4096;

[[noreturn]] void no_value(const std::string& what) {
  throw Error(what);
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// ---- functions ------------------------------------------------------------------------------------------------------------

double number_of(const Value& value, const std::string& where) {
  if (const double* number = value.number()) return *number;
  if (const bool* yes = std::get_if<bool>(&value.what)) return *yes ? 1 : 0;
  no_value(where + " takes a number, found " + (value.is_undefined() ? "nothing" : in_quotes(to_text(value))));
}

// The numbers of min(3, 4) or min([3, 4]).
std::vector<double> numbers_of(const std::vector<Value>& arguments, const std::string& where) {
  std::vector<double> numbers;
  const Value::List* list = arguments.size() == 1 ? arguments[0].list() : nullptr;
  for (const Value& argument : list != nullptr ? *list : arguments) numbers.push_back(number_of(argument, where));
  if (numbers.empty()) no_value(where + " of nothing");
  return numbers;
}

std::optional<Value> call_mathematics(const std::string& name, const std::vector<Value>& arguments) {
  static const std::map<std::string, double (*)(double)> kOfOne{
      {"ceil", [](double x) { return std::ceil(x); }},   {"floor", [](double x) { return std::floor(x); }},
      {"trunc", [](double x) { return std::trunc(x); }}, {"round", [](double x) { return std::nearbyint(x); }},
      {"int", [](double x) { return std::trunc(x); }},   {"float", [](double x) { return x; }},
      {"abs", [](double x) { return std::abs(x); }},     {"sqrt", [](double x) { return std::sqrt(x); }},
      {"log2", [](double x) { return std::log2(x); }},   {"log10", [](double x) { return std::log10(x); }},
      {"log", [](double x) { return std::log(x); }},     {"exp", [](double x) { return std::exp(x); }}};
  if (name == "min") {
    const std::vector<double> numbers = numbers_of(arguments, name);
    return Value{*std::ranges::min_element(numbers)};
  }
  if (name == "max") {
    const std::vector<double> numbers = numbers_of(arguments, name);
    return Value{*std::ranges::max_element(numbers)};
  }
  if (name == "pow" && arguments.size() == 2)
    return Value{std::pow(number_of(arguments[0], name), number_of(arguments[1], name))};
  if (name == "len" && arguments.size() == 1) {
    if (const Value::List* list = arguments[0].list()) return Value{static_cast<double>(list->size())};
    if (const std::string* text = arguments[0].text()) return Value{static_cast<double>(text->size())};
    no_value("len takes a list or a text");
  }
  if (name == "str" && arguments.size() == 1) return Value{to_text(arguments[0])};
  const auto known = kOfOne.find(name);
  if (known == kOfOne.end() || arguments.size() != 1) return std::nullopt;
  // int("8") is 8 in Python.
  if (const std::string* text = arguments[0].text(); text != nullptr && (name == "int" || name == "float")) {
    if (const std::optional<double> number = number_in(*text)) return Value{known->second(*number)};
  }
  return Value{known->second(number_of(arguments[0], name))};
}

// ---- operators ------------------------------------------------------------------------------------------------------------

Value arithmetic(const std::string& sign, const Value& a, const Value& b) {
  if (sign == "+" && a.text() != nullptr && b.text() != nullptr) return Value{*a.text() + *b.text()};
  const double x = number_of(a, sign), y = number_of(b, sign);
  if (sign == "+") return Value{x + y};
  if (sign == "-") return Value{x - y};
  if (sign == "*") return Value{x * y};
  if (sign == "**") return Value{std::pow(x, y)};
  if (y == 0) return Value{};  // an error in Python, but for the branch of a choice that is not taken
  if (sign == "/") return Value{x / y};
  if (sign == "//") return Value{std::floor(x / y)};
  return Value{x - y * std::floor(x / y)};  // Python's %
}

bool equal(const Value& a, const Value& b) {
  if (a.text() != nullptr || b.text() != nullptr) return a.text() != nullptr && b.text() != nullptr && *a.text() == *b.text();
  if (a.is_undefined() || b.is_undefined()) return a.is_undefined() && b.is_undefined();
  if (a.list() != nullptr || b.list() != nullptr) no_value("lists are not compared");
  return number_of(a, "==") == number_of(b, "==");
}

Value compare(const std::string& sign, const Value& a, const Value& b) {
  if (sign == "==") return Value{equal(a, b)};
  if (sign == "!=") return Value{!equal(a, b)};
  if (sign == "in") {
    if (b.list() == nullptr) no_value("`in` takes a list");
    return Value{std::ranges::any_of(*b.list(), [&a](const Value& item) { return equal(a, item); })};
  }
  const double x = number_of(a, sign), y = number_of(b, sign);
  return Value{sign == "<" ? x < y : sign == "<=" ? x <= y : sign == ">" ? x > y : x >= y};
}

// ---- the grammar, a function per rank of operators ------------------------------------------------------------------------

class Parser {
 public:
  Parser(std::string_view text, Names& names) : text_(text), names_(names) {}

  Value all() {
    Value value;
    try {
      value = choice();
    } catch (const Error&) {
      if (undefined_.empty()) throw;
      no_value(in_quotes(undefined_) + " is not defined");
    }
    skip();
    if (at_ < text_.size())
      no_value("no expression: " + in_quotes(text_) + " has more behind its end, from " + in_quotes(rest()));
    return value;
  }

 private:
  struct Deeper {
    explicit Deeper(int& depth) : depth_(depth) {
      if (++depth_ > kMaxExpressionDepth) no_value("an expression is nested too deeply");
    }
    ~Deeper() { --depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    int& depth_;
  };

  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
  }
  bool take(std::string_view sign) {
    skip();
    if (!rest().starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }
  bool take_word(std::string_view word) {
    skip();
    if (!rest().starts_with(word)) return false;
    const std::size_t end = at_ + word.size();
    if (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) return false;
    at_ = end;
    return true;
  }
  void expect(std::string_view sign) {
    if (!take(sign)) no_value("no expression: " + in_quotes(text_) + " lacks " + std::string(sign));
  }

  // Both branches are evaluated as far as they have a value: nothing here has an effect.
  Value choice() {
    const Deeper deeper(depth_);
    Value value = either();
    if (!take_word("if")) return value;
    const bool yes = is_true(either());
    if (!take_word("else")) no_value("no expression: " + in_quotes(text_) + " lacks else");
    Value other = choice();
    return yes ? value : other;
  }

  Value either() {
    Value value = both();
    while (take_word("or")) {
      Value other = both();
      if (!is_true(value)) value = std::move(other);
    }
    return value;
  }

  Value both() {
    Value value = negation();
    while (take_word("and")) {
      Value other = negation();
      if (is_true(value)) value = std::move(other);
    }
    return value;
  }

  Value negation() {
    const Deeper deeper(depth_);
    if (take_word("not")) return Value{!is_true(negation())};
    return comparison();
  }

  Value comparison() {
    Value value = joined();
    for (const std::string sign : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (take(sign)) return compare(sign, value, joined());
    }
    if (take_word("in")) return compare("in", value, joined());
    return value;
  }

  Value joined() {
    Value value = sum();
    while (take("~")) {
      const Value other = sum();
      value = Value{to_text(value) + to_text(other)};
    }
    return value;
  }

  Value sum() {
    Value value = product();
    for (;;) {
      if (take("+")) {
        value = arithmetic("+", value, product());
      } else if (take("-")) {
        value = arithmetic("-", value, product());
      } else {
        return value;
      }
    }
  }

  Value product() {
    Value value = sign();
    for (;;) {
      skip();
      if (rest().starts_with("**")) return value;
      if (take("//")) {
        value = arithmetic("//", value, sign());
      } else if (take("*")) {
        value = arithmetic("*", value, sign());
      } else if (take("/")) {
        value = arithmetic("/", value, sign());
      } else if (!rest().starts_with("%}") && take("%")) {
        value = arithmetic("%", value, sign());
      } else {
        return value;
      }
    }
  }

  Value sign() {
    const Deeper deeper(depth_);
    if (take("-")) return arithmetic("-", Value{0.0}, sign());
    if (take("+")) return sign();
    Value value = filtered();
    if (take("**")) return arithmetic("**", value, sign());
    return value;
  }

  Value filtered() {
    Value value = single();
    while (take("|")) {
      skip();
      const std::string filter = word();
      if (filter != "default" && filter != "d") no_value("the filter " + in_quotes(filter) + " is not known here; default is");
      const std::vector<Value> arguments = take("(") ? list_until(")") : std::vector<Value>{};
      if (value.is_undefined()) value = arguments.empty() ? Value{std::string()} : arguments[0];
    }
    return value;
  }

  Value single() {
    const Deeper deeper(depth_);
    skip();
    if (at_ == text_.size()) no_value("no expression: " + in_quotes(text_) + " ends too soon");
    const char c = text_[at_];
    if (take("(")) {
      Value value = choice();
      expect(")");
      return value;
    }
    if (take("[")) return indexed(Value{list_until("]")});
    if (c == '"' || c == '\'') return Value{quoted(c)};
    if (is_digit(c) || c == '.') return number();
    if (is_letter(c)) return named();
    no_value("no expression: " + in_quotes(text_) + " has " + in_quotes(rest().substr(0, 1)) + " where a value is expected");
  }

  std::string word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string quoted(char quote) {
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != quote) ++at_;
    if (at_ == text_.size()) no_value("no expression: " + in_quotes(text_) + " lacks a closing quote");
    return std::string(text_.substr(begin, at_++ - begin));
  }

  Value number() {
    const std::size_t begin = at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const bool signed_exponent = (c == '+' || c == '-') && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E') && at_ > begin;
      if (!is_digit(c) && !is_letter(c) && c != '.' && !signed_exponent) break;
      ++at_;
    }
    const std::string_view digits = text_.substr(begin, at_ - begin);
    const std::optional<double> value = number_in(digits);
    if (!value) no_value(in_quotes(digits) + " is not a number");
    return Value{*value};
  }

  std::vector<Value> list_until(std::string_view end) {
    std::vector<Value> values;
    if (take(end)) return values;
    do {
      values.push_back(choice());
    } while (take(","));
    expect(end);
    return values;
  }

  // true, a function's value, or what a name stands for, with .parts and ["parts"] as a part of the name.
  Value named() {
    std::string name = word();
    if (name == "True" || name == "true") return Value{true};
    if (name == "False" || name == "false") return Value{false};
    if (name == "None" || name == "none") return Value{};
    if (take("(")) {
      const std::vector<Value> arguments = list_until(")");
      if (std::optional<Value> value = names_.call(name, arguments)) return *value;
      if (std::optional<Value> value = call_mathematics(name, arguments)) return *value;
      no_value("the function " + in_quotes(name) + " is not known here, or takes other arguments");
    }
    for (;;) {
      if (at_ + 1 < text_.size() && text_[at_] == '.' && is_letter(text_[at_ + 1])) {
        ++at_;
        name += "." + word();
      } else if (rest().starts_with("[\"") || rest().starts_with("['")) {
        name += "." + quoted(text_[++at_]);
        expect("]");
      } else {
        Value value = names_.get(name);
        if (value.is_undefined()) undefined_ = name;
        return indexed(std::move(value));
      }
    }
  }

  // [1, 2, 3][0]
  Value indexed(Value value) {
    while (value.list() != nullptr && take("[")) {
      const double index = number_of(choice(), "[]");
      expect("]");
      if (!(index >= 0 && index < static_cast<double>(value.list()->size())))
        no_value("a list has no element " + to_text(Value{index}));
      Value element = (*value.list())[static_cast<std::size_t>(index)];
      value = std::move(element);
    }
    return value;
  }

  std::string_view text_;
  Names& names_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::string undefined_;  // a name without a value
};

}  // namespace

std::optional<double> number_in(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (c != '_') plain.push_back(c);
  }
  if (plain.empty() || text.front() == '_' || text.back() == '_') return std::nullopt;
  const bool negative = plain[0] == '-';
  std::string_view digits = plain;
  if (negative || plain[0] == '+') digits.remove_prefix(1);
  if (digits.empty() || !(is_digit(digits[0]) || digits[0] == '.')) return std::nullopt;
  double value = 0;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    std::uint64_t whole = 0;
    digits.remove_prefix(2);
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), whole, 16);
    if (code != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    value = static_cast<double>(whole);
  } else {
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (code != std::errc() || end != digits.data() + digits.size() || !std::isfinite(value)) return std::nullopt;
  }
  return negative ? -value : value;
}

std::string to_text(const Value& value) {
  if (const std::string* text = value.text()) return *text;
  if (const bool* yes = std::get_if<bool>(&value.what)) return *yes ? "True" : "False";
  if (const double* number = value.number()) {
    char buffer[32];
    const auto [end, code] = std::abs(*number) < 1e15 && *number == std::trunc(*number)
                                 ? std::to_chars(buffer, buffer + sizeof buffer, static_cast<std::int64_t>(*number))
                                 : std::to_chars(buffer, buffer + sizeof buffer, *number);
    return {buffer, end};
  }
  if (const Value::List* list = value.list()) {
    std::string text = "[";
    for (const Value& item : *list) text += (text.size() > 1 ? ", " : "") + to_text(item);
    return text + "]";
  }
  return "";
}

bool is_true(const Value& value) {
  if (const bool* yes = std::get_if<bool>(&value.what)) return *yes;
  if (const double* number = value.number()) return *number != 0;
  if (const std::string* text = value.text()) return !text->empty();
  if (const Value::List* list = value.list()) return !list->empty();
  return false;
}

Value evaluate(std::string_view expression, Names& names) {
  if (expression.size() > kMaxExpressionBytes)
    no_value("an expression of more than " + std::to_string(kMaxExpressionBytes) + " bytes");
  return Parser(expression, names).all();
}

}  // namespace exarch::timeloop
