// The door of this room.
#pragma once
