// rustc --edition 2021 --crate-type cdylib -O -C panic=abort -o conv2d-rust.so Benchmarks/engines/examples/conv2d.rs
//
// A complete two-dimensional convolution in Rust, float32, without a crate: assay.h's structs (ABI 1), and the loops.
//
//   assay verify --library conv2d-rust.so
use std::ffi::{c_char, c_int, c_void, CStr};
use std::slice;

const OK: c_int = 0;
const UNSUPPORTED: c_int = 1;
const OUTPUT: i32 = 5;
const INTEGERS: i32 = 1;
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
    pass: i32,
    dtype: i32,
    threads: i32,
    tensor_count: i32,
    tensors: *const *const View,
    attributes: *const *const Attribute,
    attribute_count: i32,
    reserved: i32,
    state: *mut c_void,
    reply: *mut Reply,
}

impl View {
    fn shape(&self) -> &[i64] {
        unsafe { slice::from_raw_parts(self.shape, self.rank as usize) }
    }
    fn floats(&self) -> &[f32] {
        unsafe { slice::from_raw_parts(self.data as *const f32, self.count as usize) }
    }
    #[allow(clippy::mut_from_ref)]
    fn floats_mut(&self) -> &mut [f32] {
        unsafe { slice::from_raw_parts_mut(self.data as *mut f32, self.count as usize) }
    }
}

impl Call {
    // Of an operand or output: the forward pass has no others.
    fn tensor(&self, name: &str) -> Option<&View> {
        let tensors = unsafe { slice::from_raw_parts(self.tensors, self.tensor_count as usize) };
        tensors.iter().map(|view| unsafe { &**view }).find(|view| {
            view.group <= OUTPUT && unsafe { CStr::from_ptr(view.name) }.to_bytes() == name.as_bytes()
        })
    }
    fn attribute(&self, name: &str) -> Option<&Attribute> {
        let all = unsafe { slice::from_raw_parts(self.attributes, self.attribute_count as usize) };
        all.iter()
            .map(|attribute| unsafe { &**attribute })
            .find(|attribute| unsafe { CStr::from_ptr(attribute.name) }.to_bytes() == name.as_bytes())
    }
    // One value stands for both axes.
    fn integer(&self, name: &str, axis: usize, otherwise: i64) -> i64 {
        match self.attribute(name) {
            Some(found) if found.kind == INTEGERS && found.count > 0 => unsafe {
                *found.integers.add(axis.min(found.count as usize - 1))
            },
            _ => otherwise,
        }
    }
    fn is_same_padding(&self) -> bool {
        match self.attribute("padding") {
            Some(found) if found.kind == STRINGS && found.count > 0 => {
                unsafe { CStr::from_ptr(*found.strings) }.to_bytes() == b"same"
            }
            _ => false,
        }
    }
}

/// # Safety
/// `call` is a call as assay.h describes it.
#[no_mangle]
pub unsafe extern "C" fn assay_conv2d(call: *const Call) -> c_int {
    let call = &*call;
    let (Some(x), Some(weight), Some(y)) = (call.tensor("x"), call.tensor("weight"), call.tensor("y")) else {
        (*call.reply).message = c"a tensor is missing".as_ptr();
        return UNSUPPORTED;
    };
    let bias = call.tensor("bias").map(View::floats);
    let (xs, ws, ys) = (x.shape(), weight.shape(), y.shape());
    let per_group = ws[0] / call.integer("groups", 0, 1);
    let stride = [0, 1].map(|axis| call.integer("stride", axis, 1));
    let dilation = [0, 1].map(|axis| call.integer("dilation", axis, 1));
    let padding = [0, 1].map(|axis| match call.is_same_padding() {
        true => dilation[axis] * (ws[2 + axis] - 1) / 2,
        false => call.integer("padding", axis, 0),
    });
    let (input, taps, output) = (x.floats(), weight.floats(), y.floats_mut());
    let mut at = 0;
    for n in 0..ys[0] {
        for k in 0..ys[1] {
            for p in 0..ys[2] {
                for q in 0..ys[3] {
                    let mut sum = bias.map_or(0.0, |bias| bias[k as usize]);
                    for c in 0..ws[1] {
                        for r in 0..ws[2] {
                            for s in 0..ws[3] {
                                let i = p * stride[0] - padding[0] + r * dilation[0];
                                let j = q * stride[1] - padding[1] + s * dilation[1];
                                let inside = i >= 0 && i < xs[2] && j >= 0 && j < xs[3];
                                let plane = n * xs[1] + k / per_group * ws[1] + c;
                                let from = ((plane * xs[2] + i) * xs[3] + j) as usize;
                                let value = if inside { input[from] } else { 0.0 };
                                sum += value * taps[(((k * ws[1] + c) * ws[2] + r) * ws[3] + s) as usize];
                            }
                        }
                    }
                    output[at] = sum;
                    at += 1;
                }
            }
        }
    }
    OK
}
