using Llava.ModelCore.Imaging;
using Llava.ModelCore.Scenes;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>Drawn scenes as the vision tower takes them, through the product's own preprocessing.</summary>
internal static class ScenePixelTensor
{
    /// <summary>(scenes, 3, side, side), normalised float32.</summary>
    public static Tensor Of(IReadOnlyList<Scene> scenes, int side)
    {
        var preprocessor = new ClipPreprocessor(PreprocessorConfig.ForSide(side));
        var values = new float[scenes.Count * 3 * side * side];
        for (var i = 0; i < scenes.Count; i++)
        {
            var pixels = preprocessor.Process(ScenePixels.ForTraining(scenes[i], side), ImageAspect.Pad);
            pixels.Values.CopyTo(values.AsSpan(i * pixels.Values.Length));
        }

        return tensor(values, scenes.Count, 3, side, side);
    }
}
