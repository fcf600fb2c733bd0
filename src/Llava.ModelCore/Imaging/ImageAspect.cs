namespace Llava.ModelCore.Imaging;

/// <summary>How an image becomes a square before the vision tower (spec 4.2).</summary>
public enum ImageAspect
{
    /// <summary>Shortest edge resized, centre cropped.</summary>
    Square,

    /// <summary>Padded to a square with the mean colour, then as <see cref="Square"/>.</summary>
    Pad,
}
