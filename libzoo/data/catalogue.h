// The data sets behind open_dataset, one function each. Each throws UserError naming the option, file or folder.
#pragma once

#include <libzoo/data/image_dataset.h>

namespace zoo::data {

DatasetPointer open_shapes(const ShapesOptions& options);
DatasetPointer open_glyphs(const GlyphsOptions& options);
DatasetPointer open_idx(const IdxOptions& options);
DatasetPointer open_image_folder(const ImageFolderOptions& options);
DatasetPointer open_image_list(const ImageListOptions& options);
DatasetPointer open_cifar(const CifarOptions& options);
DatasetPointer open_tar(const TarOptions& options);
DatasetPointer open_tfrecord(const TfRecordSetOptions& options);
DatasetPointer open_npy(const NpyOptions& options);
DatasetPointer open_textures(const TexturesOptions& options);
DatasetPointer open_stl10(const Stl10Options& options);

}  // namespace zoo::data
