namespace Llava.ModelCore.Imaging;

/// <summary>What the vision tower gets.</summary>
/// <param name="Values">Normalised float32, (3, side, side): the red plane, then green, then blue.</param>
/// <param name="Side">In pixels.</param>
public sealed record PixelValues(float[] Values, int Side);
