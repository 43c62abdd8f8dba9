//! Structs read by the names of their members. serde also takes an array for a struct, its members in order:
//! what a slip sends would then mean something, and no schema says so.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// Wraps whatever is read from, and with it all that is inside: an array is no struct there.
pub(crate) struct ByName<T>(pub(crate) T);

/// Wraps whoever is handed what was read.
struct Handed<V> {
    visitor: V,
    is_struct: bool,
}

macro_rules! read_on {
    ($($method:ident($($name:ident: $kind:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: $kind,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($name,)* Handed { visitor, is_struct: false })
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ByName<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct(name, fields, Handed { visitor, is_struct: true })
    }

    read_on! {
        deserialize_any(); deserialize_bool(); deserialize_char(); deserialize_str(); deserialize_string();
        deserialize_i8(); deserialize_i16(); deserialize_i32(); deserialize_i64(); deserialize_i128();
        deserialize_u8(); deserialize_u16(); deserialize_u32(); deserialize_u64(); deserialize_u128();
        deserialize_f32(); deserialize_f64(); deserialize_bytes(); deserialize_byte_buf();
        deserialize_option(); deserialize_unit(); deserialize_seq(); deserialize_map();
        deserialize_identifier(); deserialize_ignored_any();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_tuple(length: usize);
        deserialize_tuple_struct(name: &'static str, length: usize);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! hand_on {
    ($($method:ident($($value:ident: $kind:ty)?);)*) => {$(
        fn $method<E: Error>(self, $($value: $kind)?) -> Result<V::Value, E> {
            self.visitor.$method($($value)?)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Handed<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_struct { f.write_str("an object") } else { self.visitor.expecting(f) }
    }

    hand_on! {
        visit_bool(value: bool); visit_char(value: char); visit_unit(); visit_none();
        visit_i8(value: i8); visit_i16(value: i16); visit_i32(value: i32); visit_i64(value: i64);
        visit_i128(value: i128); visit_u8(value: u8); visit_u16(value: u16); visit_u32(value: u32);
        visit_u64(value: u64); visit_u128(value: u128); visit_f32(value: f32); visit_f64(value: f64);
        visit_str(value: &str); visit_borrowed_str(value: &'de str); visit_string(value: String);
        visit_bytes(value: &[u8]); visit_borrowed_bytes(value: &'de [u8]); visit_byte_buf(value: Vec<u8>);
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(ByName(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(ByName(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        if self.is_struct {
            return Err(A::Error::custom("an object is wanted, and this is an array"));
        }
        self.visitor.visit_seq(ByName(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(ByName(members))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, value: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(ByName(value))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for ByName<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(ByName(deserializer))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for ByName<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(ByName(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for ByName<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(ByName(seed))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(ByName(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for ByName<A> {
    type Error = A::Error;
    type Variant = ByName<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        self.0.variant_seed(ByName(seed)).map(|(value, variant)| (value, ByName(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for ByName<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(ByName(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(length, Handed { visitor, is_struct: false })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, Handed { visitor, is_struct: true })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Point {
        x: i32,
        #[serde(default)]
        y: Option<Box<Point>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Shape {
        Empty,
        Dot(Point),
        Line { from: Point },
        Pair(i32, i32),
    }

    fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, String> {
        T::deserialize(ByName(&mut serde_json::Deserializer::from_str(text)))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_array_is_no_struct_however_deep() {
        let refused = |text: &str, found: Option<String>| {
            let found = found.unwrap_or_else(|| panic!("{text} was read"));
            assert!(found.contains("an object is wanted"), "{text}: {found}");
        };
        refused("[1]", read::<Point>("[1]").err());
        refused("y", read::<Point>(r#"{"x": 1, "y": [2]}"#).err());
        refused("list", read::<Vec<Point>>("[[1]]").err());
        refused("map", read::<BTreeMap<String, Point>>(r#"{"a": [1]}"#).err());
        refused("newtype", read::<Shape>(r#"{"Dot": [1]}"#).err());
        refused("variant", read::<Shape>(r#"{"Line": [{"x": 1}]}"#).err());
    }

    #[test]
    fn everything_else_is_read_as_ever() {
        let dot = |x| Point { x, y: None };
        assert_eq!(read(r#"{"x": 1, "y": {"x": 2}}"#), Ok(Point { x: 1, y: Some(Box::new(dot(2))) }));
        assert_eq!(read(r#"{"x": 1, "y": null}"#), Ok(dot(1)));
        assert_eq!(read(r#"["Empty", {"Dot": {"x": 1}}]"#), Ok(vec![Shape::Empty, Shape::Dot(dot(1))]));
        assert_eq!(read(r#"{"Line": {"from": {"x": 1}}}"#), Ok(Shape::Line { from: dot(1) }));
        assert_eq!(read(r#"{"Pair": [1, 2]}"#), Ok(Shape::Pair(1, 2)));
        assert_eq!(read(r#"[1, "a"]"#), Ok((1, "a".to_owned())));
        let any = serde_json::json!({"a": [1, 2.5, -3, true, null, "x"], "b": {}});
        assert_eq!(read(&any.to_string()), Ok(any));
        assert!(read::<Point>("7").unwrap_err().contains("expected an object"));
    }
}
