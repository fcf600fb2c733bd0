using Llava.ModelCore.Imaging;
using SkiaSharp;

namespace Llava.ModelCore.Scenes;

/// <summary>
/// How a scene becomes pixels. The variants are those a picture drawn by somebody else may have: drawn larger and scaled
/// down, hard edges, JPEG, slightly other colours.
/// </summary>
/// <param name="Scale">The scene is drawn at this multiple of the wanted side.</param>
/// <param name="Antialias">Soft edges.</param>
/// <param name="JpegQuality">Quality of a JPEG round trip at the drawn size; null for none.</param>
public sealed record SceneStyle(int Scale, bool Antialias, int? JpegQuality)
{
    /// <summary>Drawn at its final size with soft edges.</summary>
    public static SceneStyle Plain { get; } = new(1, Antialias: true, JpegQuality: null);

    /// <summary>The style a training image is drawn in.</summary>
    internal static SceneStyle Draw(Random random)
    {
        var scale = random.NextDouble() switch { < 0.8 => 1, < 0.95 => 2, < 0.98 => 3, _ => 4 };
        return new SceneStyle(scale, random.Chance(0.85), random.Chance(0.2) ? random.Next(60, 96) : null);
    }
}

/// <summary>Draws scenes.</summary>
public static class ScenePixels
{
    private const int ColorJitter = 12;

    // Two anchors per colour: a muted one and the one that CSS or a drawing program gives by that name. A drawn colour
    // lies between the two.
    private static readonly Dictionary<SceneColor, (SKColor Muted, SKColor Pure)> Anchors = new()
    {
        [SceneColor.Red] = (new(205, 35, 40), new(255, 0, 0)),
        [SceneColor.Green] = (new(20, 125, 40), new(0, 215, 30)),
        [SceneColor.Blue] = (new(35, 75, 205), new(0, 0, 255)),
        [SceneColor.Yellow] = (new(240, 215, 35), new(255, 255, 0)),
        [SceneColor.Purple] = (new(145, 50, 180), new(128, 0, 128)),
        [SceneColor.Orange] = (new(240, 120, 20), new(255, 165, 0)),
        [SceneColor.Black] = (new(25, 25, 27), new(0, 0, 0)),
        [SceneColor.White] = (new(240, 240, 240), new(255, 255, 255)),
    };

    /// <summary>
    /// The scene as training sees it, in the style and colours that its seed gives; the image may be larger than
    /// <paramref name="side"/> and then wants the product's own preprocessing.
    /// </summary>
    public static RgbImage ForTraining(Scene scene, int side)
    {
        var random = SceneRandom.For(scene.Seed, SceneRandom.Purpose.Pixels);
        return Draw(scene, side, SceneStyle.Draw(random), random);
    }

    /// <summary>The scene in a given style.</summary>
    public static RgbImage Draw(Scene scene, int side, SceneStyle style) =>
        Draw(scene, side, style, SceneRandom.For(scene.Seed, SceneRandom.Purpose.Pixels));

    /// <summary>The scene as a PNG file of this side, drawn with soft edges.</summary>
    public static byte[] Png(Scene scene, int side)
    {
        using var bitmap = Draw(scene, side, antialias: true, SceneRandom.For(scene.Seed, SceneRandom.Purpose.Pixels));
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    private static RgbImage Draw(Scene scene, int side, SceneStyle style, Random random)
    {
        using var drawn = Draw(scene, side * style.Scale, style.Antialias, random);
        if (style.JpegQuality is not int quality)
        {
            return new RgbImage(drawn.Width, drawn.Height, DropAlpha(drawn.GetPixelSpan()));
        }

        using var jpeg = drawn.Encode(SKEncodedImageFormat.Jpeg, quality);
        using var decoded = SKBitmap.Decode(jpeg, drawn.Info);
        return new RgbImage(decoded.Width, decoded.Height, DropAlpha(decoded.GetPixelSpan()));
    }

    private static SKBitmap Draw(Scene scene, int side, bool antialias, Random random)
    {
        var bitmap = new SKBitmap(new SKImageInfo(side, side, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(Paint(scene.Background, random));
        using var paint = new SKPaint { IsAntialias = antialias };
        foreach (var item in scene.Objects)
        {
            paint.Color = Paint(item.Color, random);
            canvas.Save();
            canvas.Translate(item.X * side, item.Y * side);
            canvas.RotateDegrees(item.Rotation);
            DrawShape(canvas, paint, item.Shape, item.Radius * side);
            canvas.Restore();
        }

        return bitmap;
    }

    private static void DrawShape(SKCanvas canvas, SKPaint paint, SceneShape shape, float r)
    {
        switch (shape)
        {
            case SceneShape.Circle:
                canvas.DrawCircle(0, 0, r, paint);
                break;
            case SceneShape.Square:
                canvas.DrawRect(-0.88f * r, -0.88f * r, 1.76f * r, 1.76f * r, paint);
                break;
            case SceneShape.Triangle:
                DrawPolygon(canvas, paint, [new(0, -r), new(0.98f * r, 0.8f * r), new(-0.98f * r, 0.8f * r)]);
                break;
            case SceneShape.Star:
                DrawPolygon(canvas, paint, [.. Enumerable.Range(0, 10).Select(i => StarPoint(i, r))]);
                break;
            case SceneShape.Diamond:
                DrawPolygon(canvas, paint, [new(0, -1.05f * r), new(0.7f * r, 0), new(0, 1.05f * r), new(-0.7f * r, 0)]);
                break;
            case SceneShape.Cross:
                canvas.DrawRect(-r, -0.3f * r, 2 * r, 0.6f * r, paint);
                canvas.DrawRect(-0.3f * r, -r, 0.6f * r, 2 * r, paint);
                break;
            default:
                paint.Style = SKPaintStyle.Stroke;
                paint.StrokeWidth = 0.42f * r;
                canvas.DrawCircle(0, 0, 0.78f * r, paint);
                paint.Style = SKPaintStyle.Fill;
                break;
        }
    }

    private static SKPoint StarPoint(int i, float r)
    {
        var length = i % 2 == 0 ? 1.05f * r : 0.42f * r;
        var (sine, cosine) = MathF.SinCos(i * MathF.PI / 5);
        return new SKPoint(length * sine, -length * cosine);
    }

    private static void DrawPolygon(SKCanvas canvas, SKPaint paint, SKPoint[] points)
    {
        using var path = new SKPath();
        path.AddPoly(points, close: true);
        canvas.DrawPath(path, paint);
    }

    private static SKColor Paint(SceneColor color, Random random)
    {
        var (muted, pure) = Anchors[color];
        var share = random.NextSingle();
        byte Mix(byte a, byte b) => Jittered(a + ((b - a) * share), ColorJitter, random);
        return new SKColor(Mix(muted.Red, pure.Red), Mix(muted.Green, pure.Green), Mix(muted.Blue, pure.Blue));
    }

    private static SKColor Paint(SceneBackground background, Random random)
    {
        var (lightness, tint) = background switch
        {
            SceneBackground.White => (random.Between(240, 256), 3),
            SceneBackground.Gray => (random.Between(105, 200), 8),
            _ => (random.Between(0, 22), 3),
        };
        return new SKColor(Jittered(lightness, tint, random), Jittered(lightness, tint, random), Jittered(lightness, tint, random));
    }

    private static byte Jittered(float value, int jitter, Random random) =>
        (byte)Math.Clamp(value + random.Next(-jitter, jitter + 1), 0, 255);

    private static byte[] DropAlpha(ReadOnlySpan<byte> rgba)
    {
        var rgb = new byte[rgba.Length / 4 * 3];
        for (int from = 0, to = 0; from < rgba.Length; from += 4, to += 3)
        {
            rgb[to] = rgba[from];
            rgb[to + 1] = rgba[from + 1];
            rgb[to + 2] = rgba[from + 2];
        }

        return rgb;
    }
}
