#include "test/catch.h"

#include <libzoo/core/error.h>
#include <libzoo/core/json.h>

#include <chrono>

using zoo::Json;
using zoo::parse_json;

TEST_CASE("JSON of every kind is read, members in their order", "[core][json]") {
  const Json v = parse_json("{\"z\": [1, -2, 3.5, 1e3, true, false, null, \"\\u00e9\\n\"], \"a\": {}, \"m\": {\"x\": []}}\n", "f.json");
  REQUIRE(v.dump() == "{\"z\":[1,-2,3.5,1000.0,true,false,null,\"é\\n\"],\"a\":{},\"m\":{\"x\":[]}}");
  REQUIRE(v["z"][0].is_number_unsigned());
  REQUIRE(v["z"][1].is_number_integer());
  REQUIRE(v["z"][3].is_number_float());
  REQUIRE(parse_json("18446744073709551615", "f") == UINT64_MAX);
  REQUIRE(parse_json("\"x\"", "f") == "x");
}

TEST_CASE("JSON mistakes are told with file, line and column", "[core][json]") {
  REQUIRE_THROWS_AS(parse_json("{", "f.json"), zoo::UserError);
  REQUIRE_THROWS_WITH(parse_json("{\"a\": 1,\n \"b\": 2,\n \"a\": 3}", "f.json"), "f.json:3:5: key \"a\" is repeated");
  REQUIRE_THROWS_WITH(parse_json("{\"a\": {\"k\": 1, \"k\": 2}}", "f.json"), Contains("f.json:1:19: key \"k\" is repeated"));
  REQUIRE_NOTHROW(parse_json("[{\"a\": {\"a\": 1}}, {\"a\": 1}]", "f.json"));
  REQUIRE_THROWS_WITH(parse_json("{\"a\":\n tru}", "f.json"), Contains("f.json:2:") && Contains("not JSON"));
  REQUIRE_THROWS_WITH(parse_json(std::string("{}\0", 3), "f.json"), Contains("f.json:1:3: a NUL byte"));
  REQUIRE_THROWS_WITH(parse_json(std::string("{\"a\": \"\0\"}", 10), "f.json"), Contains("f.json:1:8: a NUL byte"));
  REQUIRE_THROWS_WITH(parse_json(" {}", "f.json"), Contains("bytes before the JSON document"));
  REQUIRE_THROWS_WITH(parse_json("\xEF\xBB\xBF{}", "f.json"), Contains("bytes before the JSON document"));
  REQUIRE_THROWS_WITH(parse_json("{} x", "f.json"), Contains("f.json:1:4"));
  REQUIRE_THROWS_WITH(parse_json("", "f.json"), Contains("empty"));
  for (const char* bad : {"{} {}", "[1,]", "{\"a\":1,}", "01", "+1", ".5", "1.", "nan", "NaN", "Infinity", "'a'", "\"\xff\"", "\"\\ud800\"",
                          "// c\n1", "1e999", "\"\n\"", "{a:1}", "[1 2]"}) {
    CAPTURE(bad);
    REQUIRE_THROWS_AS(parse_json(bad, "f.json"), zoo::UserError);
  }
}

TEST_CASE("JSON nested deeper than allowed is refused before it is built", "[core][json]") {
  REQUIRE_NOTHROW(parse_json(std::string(64, '[') + std::string(64, ']'), "f"));
  REQUIRE_THROWS_WITH(parse_json(std::string(65, '[') + std::string(65, ']'), "f"), "f:1:66: nested deeper than 64 levels");
  REQUIRE_THROWS_WITH(parse_json(std::string(10'000'000, '['), "f"), Contains("nested deeper than 64"));
  REQUIRE_THROWS_WITH(parse_json("{\"a\":{\"b\":{}}}", "f", 2), Contains("nested deeper than 2"));
}

TEST_CASE("An object with very many members is read in linear time", "[core][json]") {
  // With a search per member this would be 2e10 comparisons, minutes instead of a blink.
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":" + std::to_string(i);
  const Json v = parse_json(text + "}", "f");
  REQUIRE(v.size() == 200'000);
  REQUIRE_THROWS_WITH(parse_json(text + ",\"k7\":1}", "f"), Contains("key \"k7\" is repeated"));
}
