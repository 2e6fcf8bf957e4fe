// rustc --edition 2021 --crate-type cdylib -O -C panic=abort -o conv2d-rust.so Benchmarks/engines/examples/conv2d.rs
//
// A complete two-dimensional convolution in Rust, float32, without a crate: assay.rs is assay.h, and the rest are the loops.
//
//   assay verify --library conv2d-rust.so
#[path = "../include/assay.rs"]
mod assay;

use assay::{Call, OK, UNSUPPORTED};
use std::ffi::c_int;

/// # Safety
/// `call` is a call as assay.h describes it.
#[no_mangle]
pub unsafe extern "C" fn assay_conv2d(call: *const Call) -> c_int {
    let call = &*call;
    let (Some(x), Some(weight), Some(y)) = (call.tensor("x"), call.tensor("weight"), call.tensor("y")) else {
        return call.refuse(UNSUPPORTED, c"a tensor is missing");
    };
    let bias = call.tensor("bias").map(|bias| bias.read::<f32>());
    let (xs, ws, ys) = (x.shape(), weight.shape(), y.shape());
    let per_group = ws[0] / call.integer("groups", 0, 1);
    let stride = [0, 1].map(|axis| call.integer("stride", axis, 1));
    let dilation = [0, 1].map(|axis| call.integer("dilation", axis, 1));
    let padding = [0, 1].map(|axis| match call.is_word("padding", "same") {
        true => dilation[axis] * (ws[2 + axis] - 1) / 2,
        false => call.integer("padding", axis, 0),
    });
    let (input, taps, output) = (x.read::<f32>(), weight.read::<f32>(), y.write::<f32>());
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
