// The door of this room: Big Transfer (Kolesnikov et al. 2020), networks that are pre-trained once and fine-tuned by one rule.
#pragma once
#include <libzoo/bit/anchors.h>
#include <libzoo/bit/checkpoint.h>
#include <libzoo/bit/detections.h>
#include <libzoo/bit/detector.h>
#include <libzoo/bit/detector_file.h>
#include <libzoo/bit/fewshot.h>
#include <libzoo/bit/focal_loss.h>
#include <libzoo/bit/hyper_rule.h>
#include <libzoo/bit/losses.h>
#include <libzoo/bit/mixup.h>
#include <libzoo/bit/models.h>
#include <libzoo/bit/names.h>
#include <libzoo/bit/precision.h>
#include <libzoo/bit/protocols.h>
