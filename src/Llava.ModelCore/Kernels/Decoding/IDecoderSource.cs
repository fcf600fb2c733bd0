using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Decoding;

/// <summary>Where a decoder's packed weights come from: tensors that are packed now, or a file that has them packed. The caller owns what it is given.</summary>
internal interface IDecoderSource
{
    /// <summary>A vector in float32.</summary>
    /// <param name="parameter">Name in our own layout.</param>
    /// <param name="size">Numbers.</param>
    NativeBuffer<float> Vector(string parameter, int size);

    /// <summary>A matrix of a layer, or the head.</summary>
    PackedMatrix Matrix(DecoderPart part);

    /// <summary>The embeddings.</summary>
    EmbeddingTable Table(DecoderPart part);
}
