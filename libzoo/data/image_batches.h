// Batches of pictures for a network: a plan of tickets, and threads that decode and transform each picture straight into
// its place in the batch.
//
//   auto batches = image_batches(train, {.height = 32, .width = 32, .apply = augment}, {.batch_size = 64, .seed = 1, .workers = 2});
//   const ImageBatch batch = batches.next()->to(device);
//
// The stream is the same for every number of workers and continues exactly where it was saved. An epoch is a new
// permutation of the set; batches do not reach across epochs unless pictures are echoed.
#pragma once

#include <libzoo/core/random.h>
#include <libzoo/data/bad_items.h>
#include <libzoo/data/echo.h>
#include <libzoo/data/image_dataset.h>
#include <libzoo/data/image_transform.h>
#include <libzoo/data/loader_options.h>
#include <libzoo/data/sources.h>

#include <ATen/core/Tensor.h>

namespace zoo::data {

struct ImageBatch {
  at::Tensor images;             // [n, 3, height, width] f32, channels last
  at::Tensor labels;             // [n] i64; [n, classes] f32 of 0 and 1 if pictures have several
  std::vector<int64_t> indices;  // [n], places in the data set
  int64_t fresh = 0;             // pictures among them that are no repetition of an echo

  ImageBatch to(const at::Device& device) const;
};

// Of every batch, an equal share for each of several processes: rank r reads rows r · n/ranks … of n. All of them plan the whole
// batches, so that the order, the pictures and the position of a stream are the same for any number of processes.
struct BatchPart {
  int64_t rank = 0, ranks = 1;
};

struct ImageBatchOptions {
  int64_t batch_size = 64;
  bool shuffle = true;
  bool drop_last = true;             // leave out an epoch's last batch if it is short
  bool replacement = false;          // independent draws: for sets smaller than a batch; every batch is full
  std::optional<int64_t> epochs = {};     // none: endless
  uint64_t seed = 0;                 // of order and augmentation
  std::optional<Shard> shard = {};   // this rank's part of each epoch
  BatchPart part = {};               // of batches of batch_size
  int workers = 0;                   // threads; 0: the caller's
  int64_t prefetch = 2;              // batches begun ahead; without workers none is
  BadItemPolicy bad_items = {};      // the cap counts different pictures
  // Echoing is planned before anything is read: a picture is read when its first copy is due and let go after its last.
  EchoOptions echo = {};             // factor 1: none
  EchoPlacement echo_at = EchoPlacement::before_augment;
  double rate_limit = 0;             // pictures read per second at most; 0: none
};

// The row of reports() that measures reading, which is done once for all copies of a picture.
inline constexpr const char* kReadStage = "read";

// Of the tensors.
int64_t byte_size(const ImageBatch& batch);

// For evaluation: every picture once, in order.
//   image_batches(test, transform, {.batch_size = 250, .shuffle = false, .drop_last = false, .epochs = 1})
// Throws UserError if the options don't fit each other or the set, for example a batch larger than an epoch with drop_last.
Stream<ImageBatch> image_batches(DatasetPointer dataset, ImageTransform transform, const ImageBatchOptions& options);

}  // namespace zoo::data
