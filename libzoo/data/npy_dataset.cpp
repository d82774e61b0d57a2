// Pictures in numpy arrays: one .npy of u8 pixels and one of integer labels.
#include <libzoo/core/error.h>
#include <libzoo/data/catalogue.h>
#include <libzoo/data/labelled_pictures.h>
#include <libzoo/io/npy.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zoo::data {
namespace {

template <class T>
std::vector<int64_t> widened(const Array& array) {
  const auto values = array.span<T>();
  return {values.begin(), values.end()};
}

std::vector<int64_t> integers(const Array& array, const std::string& where) {
  switch (array.dtype()) {
    case DType::i64: return widened<int64_t>(array);
    case DType::i32: return widened<int32_t>(array);
    case DType::i16: return widened<int16_t>(array);
    case DType::u8: return widened<uint8_t>(array);
    default: throw UserError(fmt::format("{}: labels are {}, they may be i8, i4, i2 or u1", where, name(array.dtype())));
  }
}

class NpyPictures final : public LabelledPictures {
 public:
  explicit NpyPictures(const NpyOptions& options)
      : file_(options.images), images_(io::read_npy(io::map_file(options.images), options.images.string())) {
    const Array labels = io::read_npy(io::map_file(options.labels), options.labels.string());
    const auto& shape = images_.shape();
    const bool grey = shape.size() == 3, channels = shape.size() == 4 && (shape[3] == 1 || shape[3] == 3 || shape[3] == 4);
    if (images_.dtype() != DType::u8 || !(grey || channels) || shape[1] < 1 || shape[2] < 1)
      throw UserError(fmt::format("{}: holds {} [{}], pictures are U8 [number, height, width] or [number, height, width, channels]",
                                  file_.string(), name(images_.dtype()), fmt::join(shape, ", ")),
                      "are the two files in the right places?");
    if (labels.shape().size() != 1 || labels.shape()[0] != shape[0])
      throw UserError(fmt::format("{} holds {} pictures, {} has the shape [{}]", file_.string(), shape[0], options.labels.string(),
                                  fmt::join(labels.shape(), ", ")),
                      "labels are one integer for each picture");
    labels_ = integers(labels, options.labels.string());
    name_classes(options.labels.string(), options.class_names, options.num_classes);
    find_typical_size(file_.string());
  }
  std::string describe() const override {
    return fmt::format("npy {}: {} pictures {}x{}, {} classes", file_.filename().string(), size(), images_.shape()[1], images_.shape()[2],
                       num_classes());
  }

 protected:
  void get_picture(int64_t index, Picture& picture) const override {
    const auto& shape = images_.shape();
    const int64_t depth = shape.size() == 4 ? shape[3] : 1, values = shape[1] * shape[2] * depth;
    const uint8_t* from = images_.span<uint8_t>().data() + index * values;
    require_pixels({from, size_t(values)});
    if (depth == 3)
      picture.set_pixels(View<uint8_t>(from, shape[1], shape[2], 3, 3 * shape[2]));
    else
      picture.set_pixels(io::Image{shape[1], shape[2], depth, {from, from + values}});
  }
  std::string get_item_name(int64_t index) const override { return fmt::format("{} picture {}", file_.string(), index); }

 private:
  std::filesystem::path file_;
  Array images_;
};

}  // namespace

DatasetPointer open_npy(const NpyOptions& options) { return std::make_shared<NpyPictures>(options); }

}  // namespace zoo::data
