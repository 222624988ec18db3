//! Containers whose heads are known only after what is in them.

use super::super::cursor::varint;
use super::super::encode::Encoder;
use super::super::tag::{ARRAY, MAP};
use super::{NotHere, RecordSerializer, Written};
use crate::value::{Value, Vector};

/// What a record is written with.
pub(super) struct Writer<'w> {
    pub(super) encoder: Encoder<'w>,
    pub(super) scratch: &'w mut RecordSerializer,
    /// What the field of the id holds.
    pub(super) id: Option<Value>,
}

/// Where a container began.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// Where its head goes.
    pub(super) at: usize,
    /// How many bytes were left free for the head.
    pub(super) room: usize,
    pub(super) keys: usize,
    pub(super) numbers: usize,
}

impl Writer<'_> {
    /// Leaves room for the head of a container: what most have, so that few are moved.
    pub(super) fn open(&mut self, room: usize) -> Frame {
        let at = self.encoder.out.len();
        self.encoder.out.resize(at + room, 0);
        Frame { at, room, keys: self.scratch.keys.len(), numbers: self.scratch.numbers.len() }
    }

    /// Writes the shape of a map before its values and, unless it is the document itself, tag and length before that.
    pub(super) fn close_map(&mut self, frame: Frame, is_root: bool) -> Written {
        let body = self.encoder.out.len() - frame.at - frame.room;
        let (mut head, mut head_bytes) = ([0; 11], 0);
        let keys = &self.scratch.keys[frame.keys..];
        let (mut shape, mut shape_bytes) = ([0; 5], 0);
        if !keys.is_empty() {
            let number = self.scratch.shapes.find(keys, self.encoder.dictionary).ok_or(NotHere)?;
            (shape, shape_bytes) = varint(number + 1);
        }
        if !is_root {
            let (sized, length) = MAP.head(shape_bytes + body);
            head[..length].copy_from_slice(&sized[..length]);
            head_bytes = length;
        }
        head[head_bytes..head_bytes + shape_bytes].copy_from_slice(&shape[..shape_bytes]);
        self.put_head(frame, &head[..head_bytes + shape_bytes]);
        self.scratch.keys.truncate(frame.keys);
        Ok(self.encoder.check_size(0)?)
    }

    pub(super) fn close_sequence(&mut self, frame: Frame) -> Written {
        let numbers = &self.scratch.numbers[frame.numbers..];
        if !numbers.is_empty() {
            let vector = Value::Vector(Vector::F32(numbers.to_vec()));
            self.scratch.numbers.truncate(frame.numbers);
            self.encoder.out.truncate(frame.at);
            return Ok(self.encoder.value(&vector, 1)?);
        }
        let (head, length) = ARRAY.head(self.encoder.out.len() - frame.at - frame.room);
        self.put_head(frame, &head[..length]);
        Ok(self.encoder.check_size(0)?)
    }

    fn put_head(&mut self, frame: Frame, head: &[u8]) {
        let out = &mut *self.encoder.out;
        let (from, to, end) = (frame.at + frame.room, frame.at + head.len(), out.len());
        if to > from {
            out.resize(end + to - from, 0);
        }
        if to != from {
            out.copy_within(from..end, to);
            out.truncate(end + to - from);
        }
        out[frame.at..to].copy_from_slice(head);
    }
}
