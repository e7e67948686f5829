// The expressions that Timeloop's files of version 0.4 and their templates are written in: a small part of Python's and Jinja's.
//
//   evaluate("max(DATAWIDTH, 16) * 3", names)     evaluate("1 if depth >= 1 else 0", names)
//   evaluate("cwd() ~ '/arch.yaml'", names)       evaluate("problem | default('problem.yaml')", names)
//
// Numbers, texts, true and false, lists; + - * / // % **, comparisons, and, or, not, in, `a if b else c`, `a ~ b`, `|
// default(x)`; functions, and names with dots or ["keys"] behind them. What a name means is the caller's business.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace exarch::timeloop {

struct Value {
  using List = std::vector<Value>;
  std::variant<std::monostate, bool, double, std::string, List> what;  // monostate: undefined

  [[nodiscard]] bool is_undefined() const { return what.index() == 0; }
  [[nodiscard]] const double* number() const { return std::get_if<double>(&what); }
  [[nodiscard]] const std::string* text() const { return std::get_if<std::string>(&what); }
  [[nodiscard]] const List* list() const { return std::get_if<List>(&what); }
};

// As Jinja prints it: "16", "0.5", "True", "some text".
[[nodiscard]] std::string to_text(const Value& value);
// As Python takes it in a condition.
[[nodiscard]] bool is_true(const Value& value);

class Names {
 public:
  virtual ~Names() = default;
  // The value of "depth", or of "buffer.attributes.depth"; an undefined Value for a name that nothing has.
  [[nodiscard]] virtual Value get(const std::string& name) = 0;
  // A function beyond those of mathematics; nothing for a name that no function has.
  [[nodiscard]] virtual std::optional<Value> call(const std::string& /*name*/, const std::vector<Value>& /*arguments*/) {
    return std::nullopt;
  }
};

// Error without a place, "depth is not defined", for a text that is no expression or has no value. The result may be undefined
// where the whole expression is a name.
[[nodiscard]] Value evaluate(std::string_view expression, Names& names);

// The number that a text is, in Python's spellings ("16", "1e-9", "0x10", "1_000"); nothing for other texts.
[[nodiscard]] std::optional<double> number_in(std::string_view text);

}  // namespace exarch::timeloop
