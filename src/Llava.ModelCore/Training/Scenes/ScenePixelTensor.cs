using Llava.ModelCore.Scenes;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>Drawn scenes as the vision tower takes them.</summary>
internal static class ScenePixelTensor
{
    // CLIP's channel statistics (spec 4.1).
    private static readonly float[] Mean = [0.48145466f, 0.4578275f, 0.40821073f];
    private static readonly float[] Deviation = [0.26862954f, 0.26130258f, 0.27577711f];

    /// <summary>(scenes, 3, side, side), normalised float32.</summary>
    public static Tensor Of(IReadOnlyList<Scene> scenes, int side)
    {
        var area = side * side;
        var values = new float[scenes.Count * 3 * area];
        for (var i = 0; i < scenes.Count; i++)
        {
            var rgb = ScenePixels.ForTraining(scenes[i], side);
            for (var channel = 0; channel < 3; channel++)
            {
                var plane = values.AsSpan(((i * 3) + channel) * area, area);
                for (var p = 0; p < area; p++)
                {
                    plane[p] = ((rgb[(p * 3) + channel] / 255f) - Mean[channel]) / Deviation[channel];
                }
            }
        }

        return tensor(values, scenes.Count, 3, side, side);
    }
}
