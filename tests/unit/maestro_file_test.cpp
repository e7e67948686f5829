// What a user relies on when giving a mapping file: it says the same as in MAESTRO, what is written reads again, and a text that
// MAESTRO would take for something else is refused with the line and a remedy.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "host/error.hpp"
#include "host/maestro/file.hpp"
#include "tests/support/errors.hpp"

namespace exarch::maestro {
namespace {

using test::error_of;
using Words = std::vector<std::string>;

// Line numbers are what the tests below count on.
constexpr char kTwoLayers[] = R"(// A network of two layers.
Constant Tile 4;
Constant Out 54;

Network two.layers {
  Layer conv1 { // the first
    Type: CONV
    Stride { X: 2, Y: 2 }
    Dimensions { K: 64, C: 3, R: 7, S: 5, Y: 230, X: 228 }
    Dataflow {
      SpatialMap(1,1) K;
      TemporalMap(Tile,Tile) C;
      TemporalMap(Sz(R),Sz(R)) R;
      TemporalMap(Sz(S), 1) X;
      Cluster(Tile, P);
      SpatialMap(1,1) C;
      Cluster(Sz(S), L);
      TemporalMap(3,2) Y';
    }
  }

  Layer proj {
    Type: DSCONV
    Dimensions { N: 2, C: 64, R: 1, S: 1, Y': Out, X': 54 }
  }
}
)";

NetworkFile parse(std::string_view text) {
  return parse_network(text, "net.m");
}

std::string parse_error(std::string_view text) {
  return error_of([&] { (void)parse(text); });
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Words lines_of(const std::string& text) {
  Words lines(1);
  for (const char c : text) {
    if (c == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += c;
    }
  }
  return lines;
}

std::string joined(const Words& lines, const std::string& end) {
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) text += (i == 0 ? "" : end) + lines[i];
  return text;
}

// kTwoLayers with other words in one of its lines.
std::string with_line(std::size_t line, const std::string& words) {
  Words lines = lines_of(kTwoLayers);
  lines.at(line - 1) = words;
  return joined(lines, "\n");
}

void expect_same(const Mapping& a, const Mapping& b) {
  ASSERT_EQ(a.count, b.count);
  for (std::uint32_t i = 0; i < a.count; ++i) {
    EXPECT_EQ(a.directive[i].map, b.directive[i].map) << i;
    EXPECT_EQ(a.directive[i].size, b.directive[i].size) << i;
    if (a.directive[i].map == Map::cluster) continue;
    EXPECT_EQ(a.directive[i].dim, b.directive[i].dim) << i;
    EXPECT_EQ(a.directive[i].offset, b.directive[i].offset) << i;
  }
}

// Everything but the line numbers.
void expect_same(const NetworkFile& a, const NetworkFile& b) {
  EXPECT_EQ(a.name, b.name);
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    SCOPED_TRACE("layer " + std::to_string(i));
    const NamedLayer &x = a.layers[i], &y = b.layers[i];
    EXPECT_EQ(x.name, y.name);
    EXPECT_EQ(x.layer.type, y.layer.type);
    EXPECT_TRUE(std::equal(std::begin(x.layer.size), std::end(x.layer.size), y.layer.size));
    EXPECT_TRUE(std::equal(std::begin(x.layer.stride), std::end(x.layer.stride), y.layer.stride));
    ASSERT_EQ(x.mapping.has_value(), y.mapping.has_value());
    if (x.mapping) expect_same(*x.mapping, *y.mapping);
  }
}

void expect_directive(const Directive& directive, Map map, Dim dim, std::int32_t size, std::int32_t offset) {
  EXPECT_EQ(directive.map, map);
  EXPECT_EQ(directive.dim, dim);
  EXPECT_EQ(directive.size, size);
  EXPECT_EQ(directive.offset, offset);
}

// ---- reading ------------------------------------------------------------------------------------

TEST(MaestroFile, ReadsLayersConstantsAndSizesOfDimensions) {
  const NetworkFile file = parse(kTwoLayers);
  EXPECT_EQ(file.name, "two.layers");
  ASSERT_EQ(file.layers.size(), 2u);
  const NamedLayer& conv = file.layers[0];
  EXPECT_EQ(conv.name, "conv1");
  EXPECT_EQ(conv.line, 6u);
  EXPECT_EQ(conv.layer.type, LayerType::conv);
  const std::int32_t sizes[kDims] = {3, 0, 64, 0, 0, 7, 5, 228, 0, 230, 0}, strides[kDims] = {1, 1, 1, 1, 1, 1, 1, 2, 1, 2, 1};
  for (std::uint32_t d = 0; d < kDims; ++d) {
    EXPECT_EQ(conv.layer.size[d], sizes[d]) << name_of(static_cast<Dim>(d));
    EXPECT_EQ(conv.layer.stride[d], strides[d]) << name_of(static_cast<Dim>(d));
  }
  ASSERT_TRUE(conv.mapping.has_value());
  ASSERT_EQ(conv.mapping->count, 8u);
  const Directive* directive = conv.mapping->directive;
  expect_directive(directive[0], Map::spatial, Dim::K, 1, 1);
  expect_directive(directive[1], Map::temporal, Dim::C, 4, 4);
  expect_directive(directive[2], Map::temporal, Dim::R, 7, 7);
  expect_directive(directive[3], Map::temporal, Dim::X, 5, 1);
  EXPECT_EQ(directive[4].map, Map::cluster);
  EXPECT_EQ(directive[4].size, 4);
  expect_directive(directive[5], Map::spatial, Dim::C, 1, 1);
  EXPECT_EQ(directive[6].map, Map::cluster);
  EXPECT_EQ(directive[6].size, 5);
  expect_directive(directive[7], Map::temporal, Dim::Yo, 3, 2);

  const NamedLayer& projection = file.layers[1];
  EXPECT_EQ(projection.name, "proj");
  EXPECT_EQ(projection.line, 22u);
  EXPECT_EQ(projection.layer.type, LayerType::dsconv);
  EXPECT_EQ(projection.layer.size[index_of(Dim::Yo)], 54);
  EXPECT_EQ(projection.layer.size[index_of(Dim::Y)], 0);
  EXPECT_FALSE(projection.mapping.has_value());
}

TEST(MaestroFile, EveryTypeAndDimensionHasItsName) {
  const Words dims{"C", "G", "K", "M", "N", "R", "S", "X", "X'", "Y", "Y'"};
  for (std::uint32_t d = 0; d < kDims; ++d) {
    EXPECT_EQ(name_of(static_cast<Dim>(d)), dims[d]);
    EXPECT_EQ(dim_of(dims[d]), static_cast<Dim>(d));
  }
  EXPECT_EQ(name_of(Dim::Xo), "X'");
  EXPECT_EQ(name_of(Dim::Yo), "Y'");
  EXPECT_EQ(dim_of("Q"), std::nullopt);
  EXPECT_EQ(dim_of("k"), std::nullopt);
  EXPECT_EQ(dim_of(""), std::nullopt);
  for (const auto& [type, name] : {std::pair{LayerType::conv, "CONV"},
                                   {LayerType::dsconv, "DSCONV"},
                                   {LayerType::ngconv, "NGCONV"},
                                   {LayerType::gemm, "GEMM"},
                                   {LayerType::trconv, "TRCONV"}}) {
    EXPECT_EQ(name_of(type), name);
    EXPECT_EQ(layer_type_of(name), type);
  }
  EXPECT_EQ(layer_type_of("FC"), std::nullopt);
}

// Spellings that MAESTRO reads as they are meant: each line takes the place of one in the file and changes nothing.
TEST(MaestroFile, AcceptsWhatMaestroReadsAsItIsMeant) {
  const NetworkFile plain = parse(kTwoLayers);
  const std::vector<std::pair<std::size_t, std::string>> spellings{
      {2, "Constant Tile 4 // without a semicolon"},
      {2, "Constant Tile: 9; Constant Tile 4;"},
      {3, "Constant\nOut\n54"},
      {3, "Constant Out 054; Constant unused 0;"},
      {3, "Constant Out 54; //}}} braces { of comments // do not count"},
      {5, "Network two.layers\n{"},
      {5, "Network some-two.layers {"},
      {6, "Layer: (conv1) { //// the first"},
      {6, "Layer conv1 { //glued"},
      {7, "Type CONV;"},
      {8, "Stride { X 2 Y 2 }"},
      {8, "Stride { X->2, Y -> 2, K: 1, G: 1 };"},
      {9, "Dimensions { K 64,C 3,R 7,S 5,Y 230,X 228 }"},
      {9, "Dimensions\t{\tX:228,Y:230,\n\nS:5,R:7,C:3,K:64,\n}"},
      {9, "Dimensions { K: +64, C: 0003, R: 7, S: 5, Y: 230, X: 228, }"},
      {11, "SpatialMap(1,1) K"},
      {11, "SpatialMap (1 , 1)K;"},
      {11, "SpatialMap 1 1 K"},
      {11, "SpatialMap(1,1)->K;//note"},
      {11, "SpatialMap(1,1) K; ;;; ,,"},
      {13, "TemporalMap(Sz(R), 7) R; // Sz(R) } Cluster(4,P);"},
      {13, "TemporalMap(Sz R, (Sz((R))))) R"},
      {15, "Cluster(4) L"},
      {17, "Cluster(Sz(S)\n, P)"},
      {23, "Type:\nDSCONV"},
      {24, "Dimensions { N: 2, C: 64, R: 1, R: 1, S: 1, Y': Out, X': Out }"},
  };
  for (const auto& [line, words] : spellings) {
    SCOPED_TRACE(words);
    const std::string text = with_line(line, words);
    ASSERT_EQ(parse_error(text), "(no error)");
    expect_same(parse(text), plain);
  }
}

TEST(MaestroFile, AcceptsBlocksInAnyOrderAndMissingNames) {
  const NetworkFile file = parse(
      "Network { Layer { Dimensions { M: 8, N: 9, K: 10 } Dataflow { } Type: GEMM } Layer b { Type: TRCONV Dimensions { K: 1 } } "
      "}");
  EXPECT_EQ(file.name, "");
  ASSERT_EQ(file.layers.size(), 2u);
  EXPECT_EQ(file.layers[0].name, "");
  EXPECT_EQ(file.layers[0].layer.type, LayerType::gemm);
  ASSERT_TRUE(file.layers[0].mapping.has_value());
  EXPECT_EQ(file.layers[0].mapping->count, 0u);
  EXPECT_EQ(file.layers[1].layer.type, LayerType::trconv);
  EXPECT_FALSE(file.layers[1].mapping.has_value());
}

TEST(MaestroFile, LeavesToTheModelWhatOnlyTheModelCanJudge) {
  for (const std::string& body :
       Words{"Dimensions { X: 8, X': 6 } Dataflow { SpatialMap(1,1) X; }",                           // both forms
             "Dimensions { K: 8 } Dataflow { TemporalMap(1,1) C; }",                                 // missing C
             "Dimensions { K: 8 } Dataflow { TemporalMap(99,100) K; }",                              // beyond K
             "Dimensions { K: 8 } Dataflow { Cluster 2 P Cluster 2 P Cluster 2 P Cluster 2 P }"}) {  // four
    EXPECT_EQ(parse_error("Network n { Layer l { Type: CONV " + body + " } }"), "(no error)") << body;
  }
}

TEST(MaestroFile, AcceptsWindowsLineEndsAndAByteOrderMark) {
  const NetworkFile plain = parse(kTwoLayers);
  const std::string windows = joined(lines_of(kTwoLayers), "\r\n");
  const NetworkFile file = parse(windows);
  expect_same(file, plain);
  EXPECT_EQ(file.layers[1].line, 22u);
  expect_same(parse("\xEF\xBB\xBF" + windows), plain);
}

// ---- writing ------------------------------------------------------------------------------------

TEST(MaestroFile, WhatIsWrittenReadsTheSame) {
  NetworkFile file = parse(kTwoLayers);
  expect_same(parse(write_network(file)), file);
  file.name.clear();
  file.layers[1].name.clear();
  file.layers[1].mapping.emplace();
  for (std::size_t type = 0; type < 5; ++type) {
    NamedLayer layer = file.layers[type % 2];
    layer.name = "Layer";  // a keyword is a name like any other
    layer.layer.type = static_cast<LayerType>(type);
    for (std::uint32_t d = 0; d < kDims; ++d) {
      layer.layer.size[d] = 2147483647 - static_cast<std::int32_t>(d + type);
      layer.layer.stride[d] = 1 + static_cast<std::int32_t>(d % 3);
    }
    layer.mapping.emplace().count = kMaxDirectives;
    for (std::uint32_t i = 0; i < kMaxDirectives; ++i) {
      const auto number = static_cast<std::int32_t>(i + 1);
      layer.mapping->directive[i] = {static_cast<Map>(i % 3), static_cast<Dim>(i % kDims), number, 2147483647 - number};
    }
    file.layers.push_back(layer);
  }
  const std::string text = write_network(file);
  expect_same(parse(text), file);
  EXPECT_EQ(write_network(parse(text)), text);
}

TEST(MaestroFile, RefusesToWriteWhatNoFileCanSay) {
  const NetworkFile file = parse(kTwoLayers);
  const auto error_with = [&](auto&& change) {
    NetworkFile changed = file;
    change(changed);
    return error_of([&] { (void)write_network(changed); });
  };
  EXPECT_TRUE(contains(error_with([](NetworkFile& f) { f.layers.clear(); }), "has no layer"));
  for (const std::string& name :
       Words{"a b", "a-b", "{", "}", "a{", "//a", "a//b", "a:b", "a\nb", " a", "a ", std::string("a\0b", 3)}) {
    EXPECT_TRUE(contains(error_with([&](NetworkFile& f) { f.name = name; }), "cannot be a name")) << name;
    EXPECT_TRUE(contains(error_with([&](NetworkFile& f) { f.layers[1].name = name; }), "cannot be a name")) << name;
  }
  EXPECT_TRUE(contains(error_with([](NetworkFile& f) { f.layers[0].layer.size[index_of(Dim::K)] = -1; }),
                       "layer 'conv1': the size of K must be at least 1, is -1"));
  EXPECT_TRUE(contains(error_with([](NetworkFile& f) { f.layers[0].layer.stride[index_of(Dim::K)] = 0; }), "the stride of K"));
  EXPECT_TRUE(contains(error_with([](NetworkFile& f) { f.layers[1].layer.stride[index_of(Dim::X)] = 2; }), "which has no size"));
  EXPECT_TRUE(contains(error_with([](NetworkFile& f) {
                         f.layers[1].layer = {LayerType::conv, {}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}};
                       }),
                       "has no dimension"));
  EXPECT_TRUE(contains(error_with([](NetworkFile& f) { f.layers[0].mapping->directive[0].size = 0; }), "a tile must be"));
  EXPECT_TRUE(contains(error_with([](NetworkFile& f) { f.layers[0].mapping->directive[0].offset = 0; }), "an offset must be"));
  EXPECT_TRUE(contains(error_with([](NetworkFile& f) { f.layers[0].mapping->directive[4].size = -4; }), "a cluster must be"));
  EXPECT_TRUE(contains(error_with([](NetworkFile& f) { f.layers[0].mapping->count = kMaxDirectives + 1; }), "more than 48"));
}

// ---- mistakes -----------------------------------------------------------------------------------

// A line of kTwoLayers, what takes its place, and the message: the line it names (counted in the changed text) and a part of it.
struct Mistake {
  std::size_t line;
  std::string words;
  std::size_t named_line;
  std::string message;
};

void expect_refused(const std::vector<Mistake>& mistakes) {
  for (const Mistake& mistake : mistakes) {
    const std::string error = parse_error(with_line(mistake.line, mistake.words));
    EXPECT_EQ(error.find("net.m:" + std::to_string(mistake.named_line) + ": "), 0u) << mistake.words << "\n  " << error;
    EXPECT_TRUE(contains(error, mistake.message)) << mistake.words << "\n  " << error;
  }
}

TEST(MaestroFile, RefusesNumbersThatMaestroWouldMisread) {
  const std::string minus = "a minus sign stands before '4', which MAESTRO would not see; remove it";
  expect_refused({
      {12, "TemporalMap(-4,4) C;", 12, "the size of TemporalMap: " + minus},
      {12, "TemporalMap(4,-4) C;", 12, "the offset of TemporalMap: " + minus},
      {12, "TemporalMap(4, - 4) C;", 12, minus},
      {12, "TemporalMap(8-4,8-4) C;", 12, "the offset of TemporalMap: " + minus},
      {12, "TemporalMap(-Tile,4) C;", 12, "minus sign stands before 'Tile'"},
      {12, "TemporalMap(-Sz(C),4) C;", 12, "minus sign stands before 'Sz'"},
      {13, "TemporalMap(Sz(R)-4) R;", 13, "the offset of TemporalMap: " + minus},
      {15, "Cluster(-4, P);", 15, "the size of Cluster: " + minus},
      {2, "Constant Tile -4;", 2, "the value of Constant 'Tile': " + minus},
      {8, "Stride { X: -4, Y: 2 }", 8, "the stride of X: " + minus},
      {9, "Dimensions { K: 64,\n C: -4 }", 10, "the size of C: " + minus},
      {12, "TemporalMap(4.9,4) C;", 12, "'4.9' is not a whole number"},
      {12, "TemporalMap(4,4x) C;", 12, "'4x' is not a whole number"},
      {12, "TemporalMap(0x4,4) C;", 12, "'0x4' is not a whole number"},
      {12, "TemporalMap(1e3,4) C;", 12, "'1e3' is not a whole number"},
      {12, "TemporalMap(2*2,4) C;", 12, "'2*2' is not a whole number"},
      {2, "Constant Tile 4.0;", 2, "'4.0' is not a whole number"},
      {12, "TemporalMap(2147483648,4) C;", 12, "'2147483648' is too large; the largest number is 2147483647"},
      {12, "TemporalMap(4,99999999999999999999999999) C;", 12, "the offset of TemporalMap: '9999"},
      {2, "Constant Tile 3000000000;", 2, "'3000000000' is too large"},
      {9, "Dimensions { K: 3000000000 }", 9, "the size of K: '3000000000' is too large"},
      {8, "Stride { X: 3000000000 }", 8, "the stride of X: '3000000000' is too large"},
      {12, "TemporalMap(foo,4) C;", 12, "'foo' is neither a number nor a Constant defined above it"},
      {12, "TemporalMap(Tiel,4) C;", 12, "(did you mean 'Tile'?)"},
      {12, "TemporalMap(+,4) C;", 12, "'+' is neither a number"},
      {2, "Constant Tile Size;", 2, "the value of Constant 'Tile': 'Size' is neither"},
      {2, "Constant 10 4;", 2, "'10' cannot be the name of a Constant"},
      {2, "Constant Sz 4;", 2, "'Sz' cannot be the name of a Constant"},
      {2, "Constant { 4;", 2, "'{' cannot be the name of a Constant"},
      {2, "Constant Tile { };", 2, "expected the value of Constant 'Tile', found '{'"},
  });
}

TEST(MaestroFile, RefusesNumbersThatAreNotPositive) {
  expect_refused({
      {12, "TemporalMap(0,4) C;", 12, "the size of TemporalMap must be at least 1, found 0"},
      {12, "SpatialMap(4,0) C;", 12, "the offset of SpatialMap must be at least 1, found 0"},
      {2, "Constant Tile 0;", 12, "the size of TemporalMap must be at least 1, found Tile = 0"},
      {15, "Cluster(0, P);", 15, "the size of Cluster must be at least 1, found 0"},
      {9, "Dimensions { K: 64, C: 0 }", 9, "the size of C must be at least 1, found 0"},
      {8, "Stride { X: 0, Y: 2 }", 8, "the stride of X must be at least 1, found 0"},
  });
}

TEST(MaestroFile, RefusesUnknownWordsAndSuggestsTheNearest) {
  expect_refused({
      {5, "Netwrok two {", 5,
       "unknown word 'Netwrok' at the top of the file (did you mean 'Network'?); expected Constant, Network"},
      {1, "hello world", 1, "unknown word 'hello' at the top of the file"},
      {6, "Lyer conv1 {", 6, "unknown word 'Lyer' in the Network (did you mean 'Layer'?)"},
      {7, "Typ: CONV", 7, "unknown word 'Typ' in the Layer (did you mean 'Type'?)"},
      {12, "SpatalMap(1,1) C;", 12, "unknown word 'SpatalMap' in the Dataflow (did you mean 'SpatialMap'?)"},
      {12, "SpaceMap(1,1) C;", 12, "unknown word 'SpaceMap' in the Dataflow; expected TemporalMap, SpatialMap, Cluster"},
      {12, "4;", 12, "unknown word '4' in the Dataflow; expected TemporalMap, SpatialMap, Cluster"},
      {7, "Type: CONF", 7, "unknown layer type 'CONF' (did you mean 'CONV'?)"},
      {7, "Type: conv", 7, "(did you mean 'CONV'?)"},
      {7, "Type: FC", 7, "layer type 'FC' is a word that MAESTRO recognises but creates no layer for"},
      {7, "Type: POOL", 7, "'POOL' is a word that MAESTRO recognises but creates no layer for"},
      {7, "Type: LSTM", 7, "'LSTM' is a word that MAESTRO recognises but creates no layer for"},
      {12, "TemporalMap(4,4) Z;", 12, "unknown dimension 'Z'; the dimensions are N, G, K, C"},
      {12, "TemporalMap(4,4) x;", 12, "unknown dimension 'x'"},
      {12, "TemporalMap(4,4) Y\u2019;", 12, "unknown dimension 'Y\\xE2\\x80\\x99'"},
      {12, "TemporalMap(1,024, 1,024) C;", 12, "unknown dimension '1'"},
      {12, "TemporalMap(Sz(Q),4) C;", 12, "unknown dimension 'Q'"},
      {12, "TemporalMap(Sz(G),4) C;", 12, "Sz(G) is unknown, the layer declares no size of G"},
      {12, "TemporalMap(4,Sz(X')) C;", 12, "the offset of TemporalMap: Sz(X') is unknown"},
      {8, "Stride { Q: 2 }", 8, "unknown dimension 'Q'"},
      {9, "Dimensions { Q: 2 }", 9, "unknown dimension 'Q'"},
      {9, "Dimensions { K: Sz(C) }", 9, "the size of K: 'Sz' is neither a number"},
      {8, "Stride { X: Tile, Y: 2 }", 8, "the stride of X: 'Tile' is a Constant, which MAESTRO does not know here"},
      {15, "Cluster(4, Q);", 15, "cluster type 'Q' is neither L nor P; write: Cluster(4, P)"},
      {15, "Cluster(4);", 16, "cluster type 'SpatialMap' is neither L nor P"},
      {1, "Accelerator { PE { NumPEs: 4 } }", 1, "an Accelerator block cannot stand in a mapping file"},
  });
}

TEST(MaestroFile, RefusesBracesOutOfBalance) {
  expect_refused({
      {27, "}", 27, "this '}' closes nothing"},
      {26, "", 26,
       "the file ends where a Layer or the '}' of the Network should stand; Network 'two.layers' of line 5 is not closed"},
      {19, "", 22, "'Layer' stands in the Layer and belongs in a Network; is a brace missing before it?"},
      {10, "", 11, "'SpatialMap' stands in the Layer and belongs in a Dataflow block"},
      {10, "Dataflow", 11, "expected the '{' of Dataflow, found 'SpatialMap'"},
      {9, "Dimensions { K: 64, C: 3", 10, "unknown dimension 'Dataflow'"},
      {9, "Dimensions { K: 64, C }", 9, "expected the size of C, found '}'"},
      {9, "Dimensions { K: 64}", 9, "'64}' contains a brace, which MAESTRO only sees alone; put blanks around it"},
      {10, "Dataflow {//note", 10, "'{//note' contains a brace"},
      {10, "Dataflow{", 10, "'Dataflow{' contains a brace"},
      {6, "Layer a{b} {", 6, "'a{b}' contains a brace"},
      {6, "Layer }", 6, "expected the '{' of Layer, found '}'"},
      {5, "Dataflow {", 5, "'Dataflow' stands at the top of the file and belongs in a Layer"},
      {21, "}", 22, "'Layer' stands at the top of the file and belongs in a Network"},
      {11, "SpatialMap(1,1) K//note", 11,
       "contains \"//\", which starts a comment only in front of a word; put a blank before it"},
  });
}

TEST(MaestroFile, RefusesContradictionsAndBlocksOutOfPlace) {
  expect_refused({
      {9, "Dimensions { K: 64, C: 3,\n K: 32 }", 10, "dimension K is declared twice, as 64 and 32; keep one of them"},
      {9, "Dimensions { K: 64, K: 64 }", 9, "dimension K is declared twice"},
      {8, "Stride { X: 2, X: 2 }", 8, "a second stride of X"},
      {9, "Dimensions { K: 64 } Stride { X: 2 }", 9, "a second Stride of this layer; the first is in line 8"},
      {24, "Dimensions { K: 64 }\nStride { X: 2 }", 25, "Stride stands after the Dimensions of line 24; move it before them"},
      {24, "Stride { X: 2 } Dimensions { X': 64 }", 24, "a stride of X, but Layer 'proj' declares no size of X"},
      {7, "Type: CONV Type: GEMM", 7, "a second Type of this layer"},
      {24, "Dimensions { K: 64 }\nDimensions { C: 64 }", 25, "a second Dimensions of this layer; the first is in line 24"},
      {24, "Dimensions { K: 64 } Dataflow { }\nDataflow { }", 25, "a second Dataflow of this layer; the first is in line 24"},
      {23, "", 22, "Layer 'proj' has no Type; write: Type: CONV"},
      {24, "", 22, "Layer 'proj' has no dimension; write: Dimensions {"},
      {24, "Dimensions { }", 22, "Layer 'proj' has no dimension"},
      {24, "Dataflow { TemporalMap(Sz(K),1) K; } Dimensions { K: 1 }", 24, "Dimensions, which must precede the Dataflow"},
      {27, "Network b { }", 27, "a second Network; the first is in line 5"},
  });
}

TEST(MaestroFile, RefusesFilesWithoutALayer) {
  for (const std::string& text : Words{"", "\n", "// nothing", "Constant A 4;", "\xEF\xBB\xBF", "\r\n"}) {
    EXPECT_TRUE(contains(parse_error(text), "net.m:1: the file holds no Network; write: Network name {")) << text;
  }
  EXPECT_TRUE(contains(parse_error("\n// nothing\nConstant A 4;\n"), "net.m:3: the file holds no Network"));
  EXPECT_TRUE(contains(parse_error("\nNetwork n {\n}"), "net.m:2: the Network has no layer; write: Layer"));
}

TEST(MaestroFile, RefusesMoreDirectivesThanAMappingHolds) {
  std::string text = "Network n {\nLayer l {\nType: CONV\nDimensions { K: 8 }\nDataflow {\n";
  for (std::uint32_t i = 0; i < kMaxDirectives; ++i) text += i % 8 == 7 ? "Cluster(1, P);\n" : "SpatialMap(1,1) K;\n";
  EXPECT_EQ(parse_error(text + "} } }"), "(no error)");
  EXPECT_TRUE(contains(parse_error(text + "TemporalMap(1,1) K;\n} } }"), "net.m:54: more than 48 directives"));
}

// ---- damaged files ------------------------------------------------------------------------------

// Reads or throws Error; everything else ends the test program.
bool reads(std::string_view text) {
  const std::string error = parse_error(text);
  const bool read = error == "(no error)";
  EXPECT_TRUE(read || error.starts_with("net.m:")) << error;
  return read;
}

TEST(MaestroFile, EveryTruncationIsRefusedUntilTheLastBrace) {
  for (const std::string& text : Words{kTwoLayers, joined(lines_of(kTwoLayers), "\r\n")}) {
    for (std::size_t size = 0; size < text.size(); ++size) {
      EXPECT_EQ(reads(std::string_view(text).substr(0, size)), size > text.rfind('}')) << size;
    }
  }
}

TEST(MaestroFile, ControlCharactersAreNamedWhereTheyMatter) {
  std::string text = kTwoLayers;
  text[text.find("conv1")] = '\0';
  EXPECT_TRUE(contains(parse_error(text), "net.m:6: '\\x00onv1' holds a control character; is this a text file?"));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string damaged = kTwoLayers;
    damaged[i] = '\0';
    (void)reads(damaged);
    damaged[i] = '\r';
    (void)reads(damaged);
  }
  EXPECT_TRUE(reads(with_line(1, std::string("// \0 \x01 \r \xFF", 10))));
}

TEST(MaestroFile, LongLinesAndDeepNestingDoNoHarm) {
  const std::string much(1u << 20, 'x');
  EXPECT_LT(parse_error(much).size(), 300u);
  EXPECT_LT(parse_error(with_line(12, "TemporalMap(" + much + ",1) C;")).size(), 300u);
  EXPECT_LT(parse_error(with_line(12, "TemporalMap(" + std::string(1u << 20, '9') + ",1) C;")).size(), 300u);
  EXPECT_FALSE(reads(std::string(1u << 20, '{')));
  std::string braces;
  for (int i = 0; i < 100000; ++i) braces += "{ ";
  EXPECT_FALSE(reads(braces));
  EXPECT_FALSE(reads("Network n " + braces));
  EXPECT_TRUE(reads(with_line(11, "SpatialMap(1,1) K;" + std::string(1u << 20, ' ') + "//" + much)));
  EXPECT_TRUE(reads(with_line(11, std::string(1u << 16, '(') + "SpatialMap(1,1) K;")));
  EXPECT_EQ(parse(with_line(6, "Layer " + much + " {")).layers[0].name, much);
}

// Whatever reads also survives being written.
TEST(MaestroFile, RandomDamageReadsOrIsRefused) {
  std::mt19937 random(7);
  const std::string alphabet = "KCRSXY'{}(),:;->/ \n\r\t019.+SzPLTile";
  int read = 0;
  for (std::uint32_t round = 0; round < 4000; ++round) {
    std::string text = kTwoLayers;
    for (std::uint32_t change = 0; change <= round % 3; ++change) {
      const std::size_t at = random() % text.size();
      const std::size_t length = random() % 4;
      text.replace(at, length, 1, random() % 8 == 0 ? static_cast<char>(random() % 256) : alphabet[random() % alphabet.size()]);
    }
    if (!reads(text)) continue;
    ++read;
    const NetworkFile file = parse(text);
    expect_same(parse(write_network(file)), file);
  }
  EXPECT_GT(read, 100);
}

// ---- files --------------------------------------------------------------------------------------

TEST(MaestroFile, ReadsFilesAndNamesThemInErrors) {
  const std::string path = ::testing::TempDir() + std::to_string(::getpid()) + "_net.m";
  const auto put = [&](const std::string& text) { std::ofstream(path, std::ios::binary) << text; };
  put(kTwoLayers);
  expect_same(read_network_file(path), parse(kTwoLayers));
  put("Network n {\nLayr l { } }");
  EXPECT_EQ(error_of([&] { (void)read_network_file(path); }).find(path + ":2: unknown word 'Layr'"), 0u);
  put("");
  EXPECT_EQ(error_of([&] { (void)read_network_file(path); }).find(path + ":1: the file holds no Network"), 0u);
  std::filesystem::remove(path);
  EXPECT_EQ(error_of([&] { (void)read_network_file(path); }), path + ": cannot open the file: No such file or directory");
  EXPECT_TRUE(contains(error_of([] { (void)read_network_file(::testing::TempDir()); }), "is a directory"));
  EXPECT_TRUE(contains(error_of([] { (void)read_network_file("/dev/zero"); }), "larger than 64 MiB"));
}

}  // namespace
}  // namespace exarch::maestro
