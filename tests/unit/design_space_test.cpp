// What a user relies on when writing a space: values arrive as written, points and genes are the same thing, and whatever is
// wrong is refused with the file, the key and the nearest valid word.
#include "host/space/design_space.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>

#include "host/error.hpp"
#include "tests/support/errors.hpp"

namespace exarch {
namespace {

std::vector<ParameterInfo> table() {
  return {{"PagePolicy", ParameterKind::categorical, {"Open", "OpenAdaptive", "Closed"}, 0, 2, 1, "", "rows"},
          {"Buffer", ParameterKind::integer, {}, 1, 128, 8, "requests", "buffer size"},
          {"Offset", ParameterKind::integer, {}, INT64_MIN, INT64_MAX, 0, "", "any integer"}};
}

DesignSpace parse(const std::string& text) {
  return DesignSpace::from_json(text, "s.json", table());
}

DesignSpace with(const std::string& parameters) {
  return parse(R"({"name": "n", "parameters": )" + parameters + "}");
}

using test::error_of;

std::vector<std::int64_t> list(std::span<const std::int64_t> values) {
  return {values.begin(), values.end()};
}

void expect_error(const std::string& text, const std::string& part) {
  const std::string message = error_of([&] { (void)parse(text); });
  EXPECT_NE(message.find(part), std::string::npos) << text << "\n  gave: " << message;
  EXPECT_EQ(message.rfind("s.json", 0), 0u) << message;
}

void expect_parameter_error(const std::string& parameters, const std::string& part) {
  expect_error(R"({"name": "n", "parameters": )" + parameters + "}", part);
}

TEST(DesignSpace, ReadsListsRangesAndDefaults) {
  const DesignSpace space = parse(R"({"name": "demo", "doc": "two of three",
      "parameters": {"Buffer": {"from": 1, "to": 10, "step": 3}, "PagePolicy": ["Closed", "Open"]}})");
  EXPECT_EQ(space.name(), "demo");
  EXPECT_EQ(space.doc(), "two of three");
  ASSERT_EQ(space.dimensions(), 3u);
  EXPECT_EQ(list(space.values(0)), (std::vector<std::int64_t>{2, 0}));
  EXPECT_EQ(list(space.values(1)), (std::vector<std::int64_t>{1, 4, 7, 10}));
  EXPECT_EQ(list(space.values(2)), (std::vector<std::int64_t>{0}));
  EXPECT_EQ(space.size(), 8u);
  EXPECT_EQ(space.parameters()[1].name, "Buffer");
}

TEST(DesignSpace, ARangeStopsAtTheLastValueNotBeyondItsEnd) {
  EXPECT_EQ(list(with(R"({"Buffer": {"from": 1, "to": 9, "step": 3}})").values(1)), (std::vector<std::int64_t>{1, 4, 7}));
  EXPECT_EQ(with(R"({"Buffer": {"from": 5, "to": 5}})").size(), 1u);
  EXPECT_EQ(with(R"({"Buffer": {"from": 1, "to": 128}})").size(), 128u);
}

TEST(DesignSpace, PointsAndGenesAreTheSameThingFirstParameterSlowest) {
  const DesignSpace space =
      with(R"({"PagePolicy": ["Open", "OpenAdaptive", "Closed"], "Buffer": [1, 2, 4, 8], "Offset": [7, -7]})");
  std::vector<Gene> genes(3), expected(3);
  for (std::uint64_t point = 0; point < space.size(); ++point) {
    space.genes_of(point, genes);
    expected = {static_cast<Gene>(point / 8), static_cast<Gene>(point / 2 % 4), static_cast<Gene>(point % 2)};
    EXPECT_EQ(genes, expected);
    EXPECT_EQ(space.point_of(genes), point);
  }
  std::vector<std::int64_t> design(3);
  space.design_of(genes, design);
  EXPECT_EQ(design, (std::vector<std::int64_t>{2, 8, -7}));
}

TEST(DesignSpace, JsonGoesThereAndBack) {
  const DesignSpace space = parse(R"({"name": "r\u00e9 \"q\"", "doc": "line\nbreak", "parameters": {
      "PagePolicy": ["Closed", "Open"], "Buffer": {"from": 2, "to": 128, "step": 2},
      "Offset": [9223372036854775807, -9223372036854775808, 3, 2, 1]}})");
  const DesignSpace back = parse(space.to_json());
  EXPECT_EQ(back.to_json(), space.to_json());
  EXPECT_EQ(back.name(), space.name());
  EXPECT_EQ(back.doc(), space.doc());
  for (std::size_t p = 0; p < space.dimensions(); ++p) EXPECT_EQ(list(back.values(p)), list(space.values(p)));
  EXPECT_NE(space.to_json().find(R"({"from":2,"to":128,"step":2})"), std::string::npos) << space.to_json();
}

TEST(DesignSpace, ValuesAtTheEndsOfInt64SurviveTheJson) {
  for (const char* values : {"[-9223372036854775808, -2, 0, 9223372036854775807]",
                             "[9223372036854775804,"
                             "9223372036854775805, 9223372036854775806, 9223372036854775807]"}) {
    const DesignSpace space = with(std::string("{\"Offset\": ") + values + "}");
    EXPECT_EQ(list(parse(space.to_json()).values(2)), list(space.values(2)));
  }
}

TEST(DesignSpace, UnknownWordsGiveTheNearestValidOne) {
  expect_parameter_error(R"({"PagePolcy": ["Open"]})", "unknown parameter 'PagePolcy' (did you mean 'PagePolicy'?)");
  expect_parameter_error(R"({"zzzzzzzzzzzz": [1]})", "valid are PagePolicy, Buffer, Offset");
  expect_parameter_error(R"({"PagePolicy": ["Opne"]})", "PagePolicy: unknown value 'Opne' (did you mean 'Open'?)");
  expect_parameter_error(R"({"Buffer": [129]})", "Buffer: 129 is out of range; it takes 1 to 128 requests (nearest valid: 128)");
  expect_parameter_error(R"({"Buffer": {"from": 1, "too": 3}})", "Buffer: unknown key 'too' (did you mean 'to'?)");
  expect_error(R"({"nmae": "n"})", "unknown key 'nmae' (did you mean 'name'?)");
}

TEST(DesignSpace, ShapesThatAreNotAValueListAreRefused) {
  expect_parameter_error(R"({"PagePolicy": [1]})", "PagePolicy: expected one of Open, OpenAdaptive, Closed, found 1");
  expect_parameter_error(R"({"PagePolicy": {"from": 0, "to": 1}})", "PagePolicy: a range needs an integer parameter");
  expect_parameter_error(R"({"Buffer": 4})", "Buffer: expected a list of values");
  expect_parameter_error(R"({"Buffer": ["4"]})", "Buffer: expected an integer, found \"4\"");
  expect_parameter_error(R"({"Buffer": [4.0]})", "Buffer: expected an integer, found 4.0");
  expect_parameter_error(R"({"Offset": [9223372036854775808]})", "Offset: 9223372036854775808 is too large");
  expect_parameter_error(R"({"Buffer": []})", "Buffer: the list of values is empty");
  expect_parameter_error(R"({"Buffer": [4, 2, 4]})", "Buffer: value 4 is listed twice");
  expect_parameter_error(R"({"PagePolicy": ["Open", "Open"]})", "PagePolicy: value Open is listed twice");
  expect_parameter_error(R"({"Buffer": {"from": 1}})", "the range lacks \"to\"");
  expect_parameter_error(R"({"Buffer": {"from": 4, "to": 1}})", "the range ends before it starts");
  expect_parameter_error(R"({"Buffer": {"from": 1, "to": 4, "step": 0}})", "Buffer.step: must be 1 or more");
  expect_parameter_error(R"({"Buffer": {"from": 0, "to": 4}})", "Buffer: 0 is out of range");
  expect_parameter_error(R"({"Offset": {"from": -9223372036854775808, "to": 9223372036854775807}})", "more than 65536 values");
}

TEST(DesignSpace, DocumentsThatAreNotASpaceAreRefused) {
  expect_error("[]", "expected an object");
  expect_error(R"({"parameters": {}})", "\"name\" is missing");
  expect_error(R"({"name": 3, "parameters": {}})", "name: expected a text, found 3");
  expect_error(R"({"name": "n"})", "\"parameters\" must be an object");
  expect_error(R"({"name": "n", "name": "m", "parameters": {}})", "key \"name\" occurs twice");
  expect_parameter_error(R"({"Buffer": [1], "Buffer": [2]})", "key \"Buffer\" occurs twice");
  expect_error("{\"name\": \"n\",\n\n \"parameters\": }", "s.json:3: not valid JSON");
  expect_error("", "s.json:1: not valid JSON");
}

TEST(DesignSpace, FilesAreNamedInErrors) {
  const std::string path = testing::TempDir() + std::to_string(::getpid()) + "_space.json";
  std::ofstream(path) << "{\n  \"name\": \"n\",\n  \"parameters\": {\"Buffer\": [1 2]}\n}\n";
  const auto read = [&] { (void)DesignSpace::from_file(path, table()); };
  EXPECT_EQ(error_of(read).rfind(path + ":3: not valid JSON", 0), 0u) << error_of(read);
  std::ofstream(path) << R"({"name": "n", "parameters": {"Buffer": [1, 2]}})";
  EXPECT_EQ(DesignSpace::from_file(path, table()).size(), 2u);
  std::filesystem::remove(path);
  EXPECT_EQ(error_of(read).rfind(path + ": cannot open", 0), 0u) << error_of(read);
}

TEST(DesignSpace, SizesUpToTwoToThe63AreCountedExactly) {
  std::vector<ParameterInfo> parameters(4, {"p", ParameterKind::integer, {}, 0, 65535, 0, "", ""});
  std::vector<std::int64_t> all(65536), half(32768);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
  std::copy_n(all.begin(), half.size(), half.begin());

  const DesignSpace largest("n", "", parameters, {all, all, all, half});
  EXPECT_EQ(largest.size(), std::uint64_t{1} << 63);
  std::vector<Gene> genes(4);
  largest.genes_of(largest.size() - 1, genes);
  EXPECT_EQ(genes, (std::vector<Gene>{65535, 65535, 65535, 32767}));
  EXPECT_EQ(largest.point_of(genes), largest.size() - 1);

  half.push_back(40000);
  for (const std::vector<std::int64_t>& last : {all, half}) {  // 2^64 wraps to 0
    const DesignSpace vast("n", "", parameters, {all, all, all, last});
    EXPECT_FALSE(vast.is_numbered());
    EXPECT_THROW((void)vast.size(), UsageError);
    EXPECT_EQ(vast.rough_size(), 281474976710656.0 * static_cast<double>(last.size()));
  }
  EXPECT_EQ(DesignSpace("n", "", parameters, {all, all, all, all}).size_text(), "1.8e+19");
}

// Drawn parameter by parameter, so that every value comes up as often as any other.
TEST(DesignSpace, SamplesOfSpacesWithoutNumbersAreUniform) {
  std::vector<ParameterInfo> parameters(20, {"p", ParameterKind::integer, {}, 0, 9, 0, "", ""});
  const DesignSpace vast("n", "", parameters, std::vector<std::vector<std::int64_t>>(20, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  std::vector<std::size_t> seen(200);
  const std::vector<std::int64_t> designs = random_designs(vast, 10'000, 7);
  for (std::size_t i = 0; i < designs.size(); ++i) ++seen[i % 20 * 10 + static_cast<std::size_t>(designs[i])];
  for (const std::size_t count : seen) EXPECT_NEAR(static_cast<double>(count), 1000, 150);
  EXPECT_EQ(random_designs(vast, 10, 7), std::vector<std::int64_t>(designs.begin(), designs.begin() + 200));
}

TEST(DesignSpace, TheConstructorChecksItsLists) {
  const auto make = [](std::vector<std::vector<std::int64_t>> values) {
    return error_of([&] { (void)DesignSpace("n", "", table(), std::move(values)); });
  };
  EXPECT_NE(make({{0}, {1}}).find("2 value lists for 3 parameters"), std::string::npos);
  EXPECT_NE(make({{3}, {1}, {0}}).find("PagePolicy: 3 is out of range"), std::string::npos);
  EXPECT_NE(make({{0}, {}, {0}}).find("Buffer: the list of values is empty"), std::string::npos);
  EXPECT_EQ(make({{0}, {1}, {0}}), "(no error)");
}

TEST(ParameterInfo, ParsesWhatItFormats) {
  const auto parameters = table();
  EXPECT_EQ(parameters[0].parse("Closed"), 2);
  EXPECT_EQ(parameters[0].format(2), "Closed");
  EXPECT_EQ(parameters[1].parse("128"), 128);
  EXPECT_EQ(parameters[2].parse("-9223372036854775808"), INT64_MIN);
  const auto error = [&](std::size_t p, const char* text) { return error_of([&] { (void)parameters[p].parse(text); }); };
  EXPECT_NE(error(0, "closed").find("did you mean 'Closed'?"), std::string::npos);
  EXPECT_NE(error(1, "0").find("nearest valid: 1)"), std::string::npos);
  EXPECT_NE(error(1, "99999999999999999999").find("nearest valid: 128)"), std::string::npos);
  EXPECT_NE(error(1, "-99999999999999999999").find("nearest valid: 1)"), std::string::npos);
  for (const char* text : {"", "8x", "x8", " 8", "8.0", "+8"}) {
    EXPECT_NE(error(1, text).find("is not an integer"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace exarch
