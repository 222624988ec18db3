//! How an update is written down: a function for each operator, and a method that adds one.

use super::{Operator, Push, Update};
use crate::filter::Filter;
use crate::path::Path;
use crate::value::Value;

macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) => $operator:expr;)*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(path: impl Into<Path> $(, $argument: $type)*) -> Update {
                Update::default().$name(path $(, $argument)*)
            }
        )*

        /// Operators that come on top of those that are there.
        impl Update {
            $(
                #[doc = concat!("Adds what [`", stringify!($name), "`](fn@", stringify!($name), ") does.")]
                #[must_use]
                pub fn $name(self, path: impl Into<Path> $(, $argument: $type)*) -> Update {
                    self.change(path.into(), $operator)
                }
            )*
        }
    };
}

operators! {
    /// Puts `value` at `path`.
    set(value: impl Into<Value>) => Operator::Set(value.into());

    /// Puts `value` at `path` only where an upsert inserts the document, see [`Update::insert_into`].
    set_on_insert(value: impl Into<Value>) => Operator::SetOnInsert(value.into());

    /// Puts the time of the update at `path`: that of the database's clock, see [`Update::apply_at`].
    set_now() => Operator::SetNow;

    /// Removes the field at `path`, if it is there. An element of an array cannot be removed so, see [`pull`].
    unset() => Operator::Unset;

    /// Moves the value at `path`, if there is one, to the path `to`, replacing what is there.
    ///
    /// It is taken away as by [`unset`] and put there as by [`set`]. Neither path may have a step `$[]` or `$[name]`.
    rename(to: impl Into<Path>) => Operator::Rename(to.into());

    /// Adds `number` to the number at `path`, to 0 if it is missing.
    ///
    /// Integers stay integers over the ranges of `i64` and `u64` together, and decimals stay exact at the larger of the
    /// two scales; a sum outside is an error. With a float the sum is a float, but floats and decimals do not mix.
    inc(number: impl Into<Value>) => Operator::Inc(number.into());

    /// Multiplies the number at `path` by `number`; a missing one becomes the 0 of its type.
    ///
    /// Integers stay integers as with [`inc`]. Decimals stay exact, at the sum of the two scales or, where that does not
    /// fit, without the zeros at the end of the factors; a product outside is an error. With a float the product is a
    /// float, but floats and decimals do not mix.
    mul(number: impl Into<Value>) => Operator::Mul(number.into());

    /// Puts `value` at `path` if it is below what is there, or nothing is there.
    ///
    /// Values are compared by their one order, in which null is below numbers and numbers are below strings; see
    /// [`Value`]. What is equal stays as it is.
    min(value: impl Into<Value>) => Operator::Min(value.into());

    /// Puts `value` at `path` if it is above what is there, or nothing is there; values are compared as by [`min`].
    max(value: impl Into<Value>) => Operator::Max(value.into());

    /// Appends `value`, as one element, to the array at `path`.
    push(value: impl Into<Value>) => Operator::Push(Push::new([value]));

    /// Puts several values into the array at `path`: a list of them, or a [`Push`] that says where they go and how long
    /// the array may become.
    push_each(values: impl Into<Push>) => Operator::Push(values.into());

    /// Appends `value`, as one element, to the array at `path` unless an element is equal to it.
    add_to_set(value: impl Into<Value>) => Operator::AddToSet(vec![value.into()]);

    /// Appends those of `values` to the array at `path` that equal neither an element nor one another.
    add_each_to_set(values: impl IntoIterator<Item = impl Into<Value>>) =>
        Operator::AddToSet(values.into_iter().map(Into::into).collect());

    /// Removes the first element of the array at `path`, if it has one.
    pop_first() => Operator::PopFirst;

    /// Removes the last element of the array at `path`, if it has one.
    pop_last() => Operator::PopLast;

    /// Removes all elements equal to `value` from the array at `path`.
    pull(value: impl Into<Value>) => Operator::Pull(value.into());

    /// Removes all elements that match `filter` from the array at `path`.
    ///
    /// [`element`](crate::filter::element) names the element itself; paths go on in elements that are maps, as in
    /// [`elem_match`](crate::filter::Field::elem_match).
    ///
    /// ```
    /// use blaze_core::filter::element;
    /// use blaze_core::update::pull_where;
    /// use blaze_core::{Document, Value};
    ///
    /// let mut player = Document::new().with("scores", [3, 9, 5]);
    /// pull_where("scores", element().lt(6)).apply(&mut player)?;
    /// assert_eq!(player.get("scores"), Some(&Value::from([9])));
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    pull_where(filter: impl Into<Filter>) => Operator::PullWhere(filter.into());
}
