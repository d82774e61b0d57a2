#include "test/catch.h"
#include "test/io/files.h"

#include <libzoo/core/error.h>
#include <libzoo/io/cifar.h>
#include <libzoo/io/gzip.h>
#include <libzoo/io/idx.h>

#include <zlib.h>

using namespace zoo;
using namespace zoo::test;

namespace {

std::string gzip(const std::string& data) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&z, data.size()), '\0');
  z.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(data.data()));
  z.avail_in = uInt(data.size());
  z.next_out = reinterpret_cast<uint8_t*>(packed.data());
  z.avail_out = uInt(packed.size());
  deflate(&z, Z_FINISH);
  packed.resize(z.total_out);
  deflateEnd(&z);
  return packed;
}

Array idx(const std::string& file) { return io::read_idx(bytes(file), "t.idx"); }
std::string unpacked(const std::string& file) { return std::string(io::gunzip(bytes(file), "t.gz").text()); }

const std::string kLabels = std::string("\0\0\x08\x01\0\0\0\x03", 8) + "abc";

}  // namespace

TEST_CASE("IDX files of every type are read in their shape", "[io]") {
  REQUIRE(idx(kLabels).span<uint8_t>()[2] == 'c');
  REQUIRE(idx(std::string("\0\0\x09\x01\0\0\0\x01\xFF", 9)).span<int8_t>()[0] == -1);
  REQUIRE(idx(std::string("\0\0\x0B\x02\0\0\0\x01\0\0\0\x02\x01\x02\xFF\xFE", 16)).span<int16_t>()[1] == -2);
  REQUIRE(idx(std::string("\0\0\x0C\x01\0\0\0\x01\x01\x02\x03\x04", 12)).span<int32_t>()[0] == 0x01020304);
  REQUIRE(idx(std::string("\0\0\x0D\x01\0\0\0\x01\x3F\x80\0\0", 12)).span<float>()[0] == 1.0f);
  REQUIRE(idx(std::string("\0\0\x0E\x01\0\0\0\x01\x3F\xF0\0\0\0\0\0\0", 16)).span<double>()[0] == 1.0);
  REQUIRE(idx(std::string("\0\0\x08\x02\0\0\0\x00\0\0\0\x05", 12)).shape() == std::vector<int64_t>{0, 5});
}

TEST_CASE("IDX files may be gzip-compressed, in several members", "[io]") {
  REQUIRE(idx(gzip(kLabels)).size() == 3);
  REQUIRE(idx(gzip(kLabels.substr(0, 5)) + gzip("") + gzip(kLabels.substr(5))).size() == 3);
}

TEST_CASE("IDX files of the wrong size or type are refused", "[io]") {
  REQUIRE_THROWS_WITH(idx(""), Contains("magic number takes 2 bytes, 0 are left"));
  REQUIRE_THROWS_WITH(idx("\x01" + kLabels), Contains("two zero bytes"));
  REQUIRE_THROWS_WITH(idx(with(kLabels, 2, 1, "\x0A")), Contains("type 0x0a is unknown"));
  REQUIRE_THROWS_WITH(idx(kLabels.substr(0, 6)), Contains("a dimension takes 4 bytes"));
  REQUIRE_THROWS_WITH(idx(kLabels + "d"), Contains("takes 3 bytes, the file holds 4"));
  REQUIRE_THROWS_WITH(idx(kLabels.substr(0, 10)), Contains("takes 3 bytes, the file holds 2"));
  REQUIRE_THROWS_WITH(idx(std::string("\0\0\x0E\x03", 4) + std::string(12, '\xFF')), Contains("too large"));
}

TEST_CASE("gzip data is decompressed whole or refused", "[io]") {
  const std::string large(5'000'000, 'x'), packed = gzip(large);
  REQUIRE(packed.size() < 10'000);
  REQUIRE(unpacked(packed) == large);
  REQUIRE(unpacked(gzip("")).empty());
  // The size at the end belongs to the last member only.
  REQUIRE(unpacked(packed + gzip("y")) == large + "y");

  REQUIRE_THROWS_WITH(unpacked("plain"), Contains("1f 8b"));
  REQUIRE_THROWS_WITH(unpacked(packed.substr(0, packed.size() - 1)), Contains("ends before"));
  REQUIRE_THROWS_WITH(unpacked(packed + "x"), Contains("after the end"));
  REQUIRE_THROWS_WITH(unpacked(with(packed, packed.size() - 8, 1, "?")), Contains("incorrect data check"));
  REQUIRE_THROWS_WITH(unpacked(with(packed, packed.size() - 4, 1, "?")), Contains("incorrect length check"));
  REQUIRE_THROWS_WITH(unpacked(with(packed, 20, 2, "\xFF\xFF")), Contains("damaged"));
}

TEST_CASE("CIFAR records give planes and labels", "[io]") {
  std::string pixels(3072, '\0');
  pixels[1024 + 32 * 2 + 3] = '\x55';  // green, row 2, column 3
  const auto ten = io::read_cifar(bytes("\x07" + pixels + "\x09" + pixels), io::CifarVariant::cifar10, "t");
  REQUIRE(ten.images.shape() == std::vector<int64_t>{2, 3, 32, 32});
  REQUIRE(ten.labels.span<int64_t>()[1] == 9);
  REQUIRE(ten.images.span<uint8_t>()[3072 + 1024 + 32 * 2 + 3] == 0x55);
  const auto hundred = io::read_cifar(bytes("\x13\x63" + pixels), io::CifarVariant::cifar100, "t");
  REQUIRE(hundred.coarse_labels.span<int64_t>()[0] == 19);
  REQUIRE(hundred.labels.span<int64_t>()[0] == 99);
}

TEST_CASE("CIFAR files of the wrong size or with wrong labels are refused", "[io]") {
  const std::string pixels(3072, '\0');
  REQUIRE_THROWS_WITH(io::read_cifar(bytes(pixels), io::CifarVariant::cifar10, "t"), Contains("no multiple of a record's 3073"));
  REQUIRE_THROWS_WITH(io::read_cifar(bytes("\x01" + pixels + "\x0A" + pixels), io::CifarVariant::cifar10, "t"),
                      Contains("record 1: label 10 of 10"));
  REQUIRE_THROWS_WITH(io::read_cifar(bytes("\x14\x01" + pixels), io::CifarVariant::cifar100, "t"), Contains("coarse label 20 of 20"));
  REQUIRE_THROWS_WITH(io::read_cifar(bytes("\x01\x64" + pixels), io::CifarVariant::cifar100, "t"), Contains("label 100 of 100"));
}
