// assay.h (ABI 1) for Rust, with the standard library alone. A library takes it in as a module:
//
//   #[path = "Benchmarks/engines/include/assay.rs"]
//   mod assay;
//
// assay.h says what holds for every call; fields have its names and its order.
#![allow(dead_code)]
use std::ffi::{c_char, c_int, c_void, CStr};
use std::slice;

// What a function returns.
pub const OK: c_int = 0;
pub const UNSUPPORTED: c_int = 1;
pub const FAILED: c_int = 2;

// What a call is for.
pub const FORWARD: i32 = 1;
pub const BACKWARD: i32 = 2;

// Element types.
pub const FLOAT32: i32 = 1;
pub const FLOAT64: i32 = 2;

const GROUPS: [&str; 8] = ["", "inputs", "parameters", "buffers", "upstream", "outputs", "gradients", "buffers_after"];
const BUFFER: i32 = 3;
const OUTPUT: i32 = 5;
const INTEGERS: i32 = 1;
const REALS: i32 = 2;
const STRINGS: i32 = 3;

#[repr(C)]
pub struct View {
    name: *const c_char,
    data: *mut c_void,
    shape: *const i64,
    count: i64,
    rank: i32,
    dtype: i32,
    group: i32,
    reserved: i32,
}

#[repr(C)]
pub struct Attribute {
    name: *const c_char,
    integers: *const i64,
    reals: *const f64,
    strings: *const *const c_char,
    kind: i32,
    count: i32,
}

#[repr(C)]
pub struct Reply {
    message: *const c_char,
    description: *const c_char,
    workspace_bytes: i64,
}

#[repr(C)]
pub struct Call {
    abi: i32,
    size: i32,
    operation: *const c_char,
    text: *const c_char,
    pub pass: i32,
    pub dtype: i32,
    pub threads: i32,
    tensor_count: i32,
    tensors: *const *const View,
    attributes: *const *const Attribute,
    attribute_count: i32,
    reserved: i32,
    pub state: *mut c_void,
    reply: *mut Reply,
}

// Of no elements there may be no address.
unsafe fn list<'a, T>(at: *const T, count: usize) -> &'a [T] {
    if count == 0 {
        &[]
    } else {
        slice::from_raw_parts(at, count)
    }
}

impl View {
    pub fn shape(&self) -> &[i64] {
        unsafe { list(self.shape, self.rank as usize) }
    }

    /// `T` is the call's type: `f32` unless the library says that it has others.
    pub fn read<T>(&self) -> &[T] {
        unsafe { list(self.data as *const T, self.count as usize) }
    }

    /// Of a result. Nothing aliases it.
    #[allow(clippy::mut_from_ref)]
    pub fn write<T>(&self) -> &mut [T] {
        if self.count == 0 {
            return &mut [];
        }
        unsafe { slice::from_raw_parts_mut(self.data as *mut T, self.count as usize) }
    }
}

impl Call {
    /// By a path such as "gradients/x"; by a name alone the operand, or else the output of that name.
    pub fn tensor(&self, path: &str) -> Option<&View> {
        let tensors = unsafe { list(self.tensors, self.tensor_count as usize) };
        let (group, name) = path.split_once('/').unwrap_or(("", path));
        tensors.iter().map(|view| unsafe { &**view }).find(|view| {
            let is_of_group = match group {
                "" => view.group <= BUFFER || view.group == OUTPUT,
                _ => GROUPS.get(view.group as usize) == Some(&group),
            };
            is_of_group && unsafe { CStr::from_ptr(view.name) }.to_bytes() == name.as_bytes()
        })
    }

    fn attribute(&self, name: &str, kind: i32) -> Option<&Attribute> {
        let all = unsafe { list(self.attributes, self.attribute_count as usize) };
        all.iter().map(|attribute| unsafe { &**attribute }).find(|attribute| {
            attribute.kind == kind
                && attribute.count > 0
                && unsafe { CStr::from_ptr(attribute.name) }.to_bytes() == name.as_bytes()
        })
    }

    /// The value for an axis: one value stands for all of them.
    pub fn integer(&self, name: &str, axis: usize, otherwise: i64) -> i64 {
        match self.attribute(name, INTEGERS) {
            Some(found) => unsafe { *found.integers.add(axis.min(found.count as usize - 1)) },
            None => otherwise,
        }
    }

    pub fn real(&self, name: &str, otherwise: f64) -> f64 {
        match self.attribute(name, REALS) {
            Some(found) => unsafe { *found.reals },
            None => match self.attribute(name, INTEGERS) {
                Some(found) => unsafe { *found.integers as f64 },
                None => otherwise,
            },
        }
    }

    pub fn is_word(&self, name: &str, word: &str) -> bool {
        match self.attribute(name, STRINGS) {
            Some(found) => unsafe { CStr::from_ptr(*found.strings) }.to_bytes() == word.as_bytes(),
            None => false,
        }
    }

    /// Returns `code` with a reason.
    pub fn refuse(&self, code: c_int, message: &'static CStr) -> c_int {
        unsafe { (*self.reply).message = message.as_ptr() };
        code
    }
}
