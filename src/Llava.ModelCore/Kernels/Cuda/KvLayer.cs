namespace Llava.ModelCore.Kernels.Cuda;

/// <summary>Where the keys and values of a layer lie on a device: as bfloat16, or as codes of eight bits (e4m3) with a scale for each head of a position.</summary>
/// <param name="Keys">(positions, shared, size).</param>
/// <param name="Values">(positions, shared, size).</param>
/// <param name="KeyScales">float32 (shared, positions) beside codes; 0 beside bfloat16.</param>
/// <param name="ValueScales">float32 (shared, positions) beside codes; 0 beside bfloat16.</param>
/// <param name="Positions">Of the arena; asked for beside codes only.</param>
internal readonly record struct KvLayer(nint Keys, nint Values, nint KeyScales = 0, nint ValueScales = 0, int Positions = 0)
{
    /// <summary>Whether they are codes.</summary>
    public bool IsFp8 => KeyScales != 0;
}
