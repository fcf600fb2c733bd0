using Llava.ModelCore.Quantization;

namespace Llava.ModelCore.Training.Parallel;

/// <summary>
/// The part of a parameter whose optimizer state a rank keeps: a run of its numbers, in whole blocks of 8-bit moments, so that these are coded as in one process.
/// </summary>
/// <param name="Start">Where it begins among the parameter's numbers.</param>
/// <param name="Length">How many it has; parameters may be too small for all ranks.</param>
/// <param name="Piece">How many each rank would have, were the parameter padded to a multiple.</param>
internal readonly record struct Share(long Start, long Length, long Piece)
{
    /// <summary>A rank's share. Rank 0 has the largest.</summary>
    public static Share Of(long numbers, int rank, int size)
    {
        var row = (long)DynamicCode.Block * size;
        var piece = (numbers + row - 1) / row * DynamicCode.Block;
        var start = Math.Min(numbers, rank * piece);
        return new(start, Math.Min(piece, numbers - start), piece);
    }
}
