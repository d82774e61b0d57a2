#include "test/catch.h"
#include "test/io/arrays.h"
#include "test/io/files.h"

#include <libzoo/core/error.h>
#include <libzoo/io/safetensors.h>

using namespace zoo;
using namespace zoo::test;

namespace {

std::string file_of(const std::string& json, const std::string& buffer = {}) { return raw<uint64_t>(json.size()) + json + buffer; }
io::SafeTensors read(const std::string& file) { return io::read_safetensors(bytes(file), "t.safetensors"); }
std::string entry(const std::string& rest) { return "{\"a\":{" + rest + "}}"; }

}  // namespace

TEST_CASE("Every type survives a round trip through safetensors bit for bit", "[io]") {
  TemporaryFolder folder;
  const Arrays arrays = arrays_of_every_type();
  const std::map<std::string, std::string> metadata{{"format", "pt"}, {"note", "quotes \" and \\ and \n and é"}};
  io::write_safetensors(folder / "t.safetensors", arrays, metadata);
  const auto file = io::read_safetensors(io::map_file(folder / "t.safetensors"), "t");
  REQUIRE(same(file.tensors, arrays));
  REQUIRE(file.metadata == metadata);
}

TEST_CASE("A written safetensors header is padded to eight and orders tensors by item size, then by name", "[io]") {
  TemporaryFolder folder;
  io::write_safetensors(
      folder / "t",
      {{"b", random_array(DType::f32, {1}, 1)}, {"a", random_array(DType::u8, {3}, 2)}, {"c", random_array(DType::f32, {2}, 3)}});
  const std::string file = read_text(folder / "t");
  // Worked out by hand from the format's README.
  std::string json = R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"c":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},)"
                     R"("a":{"dtype":"U8","shape":[3],"data_offsets":[12,15]}})";
  json.resize((json.size() + 7) / 8 * 8, ' ');
  REQUIRE(file.substr(0, 8 + json.size()) == raw<uint64_t>(json.size()) + json);
  REQUIRE(file.size() == 8 + json.size() + 15);
}

TEST_CASE("Aligned tensors of a mapped file are views, unaligned ones are copies", "[io]") {
  TemporaryFolder folder;
  const std::string json =
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}  )";
  std::ofstream(folder / "t", std::ios::binary) << file_of(json, "\x07" + raw(2.5f));
  const auto map = io::map_file(folder / "t");
  const auto file = io::read_safetensors(map, "t");
  const auto inside = [&](const Array& a) {
    const auto* p = reinterpret_cast<const uint8_t*>(a.data());
    return p >= map.data() && p < map.data() + map.size();
  };
  REQUIRE(inside(file.tensors.at("a")));
  REQUIRE_FALSE(inside(file.tensors.at("b")));
  REQUIRE(file.tensors.at("b").span<float>()[0] == 2.5f);
}

TEST_CASE("Keys of a tensor's entry that are unknown are passed over, whatever they hold", "[io]") {
  const auto file = read(
      file_of(entry(R"("x":{"y":[1,-2.5e+3,null,true,"\u00e9\ud83d\ude00"],"z":{}},"dtype":"U8","shape":[],"data_offsets":[0,1])") + "   ",
              "\x05"));
  REQUIRE(file.tensors.at("a").span<uint8_t>()[0] == 5);
}

TEST_CASE("Names may be written with escapes", "[io]") {
  const auto file = read(file_of(R"({"\u0061\"\\\/\ud83d\ude00":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"));
  REQUIRE(file.tensors.begin()->first == "a\"\\/\xF0\x9F\x98\x80");
}

TEST_CASE("A truth value other than 0 reads as 1", "[io]") {
  const auto file = read(file_of(entry(R"("dtype":"BOOL","shape":[3],"data_offsets":[0,3])"), std::string("\0\x07\x01", 3)));
  const Array& a = file.tensors.at("a");
  REQUIRE(a.data()[0] == std::byte{0});
  REQUIRE(a.data()[1] == std::byte{1});
  REQUIRE(a.data()[2] == std::byte{1});
}

TEST_CASE("Whatever breaks the safetensors format is refused with its place", "[io]") {
  const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])", data(8, 'x');
  REQUIRE_NOTHROW(read(file_of(entry(good), data)));
  struct Bad {
    const char* why;
    std::string file;
    const char* message;
  };
  const Bad cases[] = {
      {"shorter than a length", "abc", "the header length takes 8 bytes, 3 are left"},
      {"header longer than the file", raw<uint64_t>(1000) + "{}", "the header takes 1000 bytes, 2 are left"},
      {"header longer than allowed", raw<uint64_t>(100'000'001) + "{}", "the format allows 100000000"},
      {"length beyond 63 bits", raw<uint64_t>(UINT64_MAX) + "{}", "the format allows"},
      {"empty header", file_of(""), "must begin with '{'"},
      {"blank before the header", file_of(" {}"), "must begin with '{'"},
      {"newline after the header", file_of("{}\n"), "only spaces may follow"},
      {"NUL after the header", file_of(std::string("{}\0", 3)), "only spaces may follow"},
      {"cut header", file_of("{\"a\":"), "expected '{'"},
      {"no JSON", file_of("{a}"), "expected a string"},
      {"trailing comma", file_of(entry(good + ","), data), "expected a string"},
      {"name twice", file_of("{\"a\":{" + good + "},\"\\u0061\":{" + good + "}}", data), "'a' appears twice"},
      {"metadata twice", file_of(R"({"__metadata__":{},"__metadata__":{}})"), "appears twice"},
      {"metadata key twice", file_of(R"({"__metadata__":{"k":"1","k":"2"}})"), "'k' appears twice"},
      {"metadata that is no text", file_of(R"({"__metadata__":{"k":1}})"), "expected a string"},
      {"metadata null", file_of(R"({"__metadata__":null})"), "expected '{'"},
      {"key twice", file_of(entry(good + R"(,"dtype":"F32")"), data), "has 'dtype' twice"},
      {"key missing", file_of(entry(R"("dtype":"F32","shape":[2])"), data), "needs dtype, shape and data_offsets"},
      {"unknown dtype", file_of(entry(R"("dtype":"F31","shape":[2],"data_offsets":[0,8])"), data), "dtype 'F31' is unknown"},
      {"fraction", file_of(entry(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), data), "must be a whole number"},
      {"exponent", file_of(entry(R"("dtype":"F32","shape":[2e0],"data_offsets":[0,8])"), data), "must be a whole number"},
      {"negative", file_of(entry(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), data), "must be a whole number"},
      {"minus zero", file_of(entry(R"("dtype":"F32","shape":[2],"data_offsets":[-0,8])"), data), "must be a whole number"},
      {"leading zero", file_of(entry(R"("dtype":"F32","shape":[02],"data_offsets":[0,8])"), data), "must be a whole number"},
      {"beyond 64 bits", file_of(entry(R"("dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8])"), data),
       "does not fit 64 bits"},
      {"shape that wraps around", file_of(entry(R"("dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0])")), "too large"},
      {"one offset", file_of(entry(R"("dtype":"F32","shape":[2],"data_offsets":[8])"), data), "takes two numbers"},
      {"three offsets", file_of(entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,8,8])"), data), "takes two numbers"},
      {"backwards", file_of(entry(R"("dtype":"F32","shape":[0],"data_offsets":[8,0])"), data), "run backwards"},
      {"size and offsets disagree", file_of(entry(R"("dtype":"F32","shape":[1],"data_offsets":[0,8])"), data),
       "takes 4 bytes, data_offsets give 8"},
      {"data beyond the buffer", file_of(entry(good), "1234567"), "a buffer of 7 bytes"},
      {"bytes after the last tensor", file_of(entry(good), data + "x"), "a buffer of 9 bytes"},
      {"a hole", file_of(entry(R"("dtype":"U8","shape":[7],"data_offsets":[1,8])"), data), "begins at byte 1"},
      {"overlap",
       file_of(R"({"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})", data),
       "ends at 5"},
      {"empty tensor inside another", file_of("{\"a\":{" + good + R"(},"b":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}})", data),
       "begins at byte 4"},
      {"not UTF-8", file_of("{\"\xC0\x80\":{" + good + "}}", data), "not UTF-8"},
      {"half a surrogate", file_of("{\"\\ud800\":{" + good + "}}", data), "surrogate"},
      {"raw control character", file_of("{\"\x01\":{" + good + "}}", data), "control character"},
      {"nesting", file_of(entry(good + ",\"x\":" + std::string(200, '[') + std::string(200, ']')), data), "nested deeper than 128"},
      {"65 dimensions",
       file_of(entry(R"("dtype":"U8","shape":[0)" +
                     [] {
                       std::string s;
                       for (int i = 0; i < 64; ++i) s += ",1";
                       return s;
                     }() +
                     R"(],"data_offsets":[0,0])")),
       "more than 64 dimensions"},
  };
  for (const auto& bad : cases) {
    INFO(bad.why);
    REQUIRE_THROWS_AS(read(bad.file), UserError);
    REQUIRE_THROWS_WITH(read(bad.file), Contains(bad.message) && Contains("t.safetensors"));
  }
}

TEST_CASE("Names that safetensors cannot hold are refused when writing", "[io]") {
  TemporaryFolder folder;
  REQUIRE_THROWS_WITH(io::write_safetensors(folder / "t", {{"__metadata__", Array()}}), Contains("cannot be named __metadata__"));
  REQUIRE_THROWS_WITH(io::write_safetensors(folder / "t", {{"\xFF", Array()}}), Contains("not UTF-8"));
  REQUIRE(folder.names().empty());
}
