// output[row] = table[index[row]], where an index may be a token that only the device knows. One block per row.
#include "device.h"

extern "C" __global__ void __launch_bounds__(256) gather_rows(
    const bfloat16* table,  // (lines, columns)
    const int* indices,     // (rows): lines
    const int* places,      // (rows): where among the tokens the row's line lies; a negative one leaves it to the indices. Null leaves all to them
    const int* tokens,      // lines that only the device knows; a negative one, which nobody could choose, counts as 0
    bfloat16* output,       // (rows, columns)
    int columns) {          // a multiple of 8
    const int row = block_x(), place = places ? places[row] : -1;
    const int line = place < 0 ? indices[row] : tokens[place];
    const bfloat16* from = table + (long long)(line < 0 ? 0 : line) * columns;
    for (int column = thread() * 8; column < columns; column += threads() * 8) {
        const Sixteen eight = load16(from + column);
        store16(output + (long long)row * columns + column, eight.word[0], eight.word[1], eight.word[2], eight.word[3]);
    }
}
