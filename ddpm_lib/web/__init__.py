"""The reverse process in a reader's browser: the way of a weight from Python to the page.

training's file of weights
    |  export.py          reads the averaged network of a U-Net
    v
float32 tensors
    |  quantize.py        a matrix becomes int8 and one scale for each output channel; a vector stays float32
    v
`detail`: configuration, schedule, base64 with its CRC-32
    |  export.py, page_script.py        one line of JavaScript that hands it over as an event
    v
generate-weights.js beside the pages, or model.js of `ddpm export --web`
    |  widgets/generator/network.js     loads the script at a press, starts the worker, posts `detail` to it
    v
Web Worker (worker_source.py: the .js files of this folder in one text)
    |  weights.js         checks the CRC-32, decodes, int8 times scale is float32 again
    |  layers.js          packs each matrix into panels of eight columns, in the heap
    v
WebAssembly memory (heap.js)
    |  matmul.js          the product, in WebAssembly SIMD; plain JavaScript where there is none
    |  winograd.js        a 3 x 3 convolution as 36 products, with a quarter of the multiplications
    |  silu.js            the activation, in WebAssembly as well; channels.js: what a norm sums
    |  unet.js            the forward pass, made of products, and guidance
    |  sampler.js         one step of DDPM or DDIM; edit.js: of the way up; wish.js: wishes; normal.js: torch's noise
    v
worker.js posts x_t and x0_hat after every step, and the widget draws them

The folder learn/ trains: a small MLP in the plane, forward and backward on the same products, AdamW, the average of
the weights, walks and the exact answer, in a worker of its own (learn/worker.js). learned.py takes its weights to
Python and back.
"""
