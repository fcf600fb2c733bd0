using System.Diagnostics;
using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Shim;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.Benchmarks.Operators;

/// <summary>What the host pays for one operator on tensors so small that nothing else counts: TorchSharp beside libtorch's stable interface, in turns.</summary>
internal static class OperatorCost
{
    private const int Calls = 20_000;

    private static readonly TorchOperator Multiply = new("aten::mul", "Tensor");

    /// <param name="rounds">Rounds, of which the fastest counts.</param>
    public static void Run(int rounds)
    {
        TorchLibrary.EnsureLoaded();
        set_num_threads(1);
        using var mode = inference_mode();
        using Tensor left = rand(4, 4), right = rand(4, 4), output = rand(4, 4);
        (string Name, Action Call)[] forms =
        [
            ("TorchSharp", () => left.mul(right).Dispose()),
            ("stable interface, dispatcher", () => StableShim.Free(Multiply.Invoke(left.Handle, right.Handle))),
            ("TorchSharp, matrix product", () => left.mm(right).Dispose()),
            ("stable interface, matrix product into memory that is there", () => StableShim.MultiplyInto(output.Handle, left.Handle, right.Handle)),
        ];
        var fastest = forms.ToDictionary(form => form.Name, _ => (Nanoseconds: double.MaxValue, Bytes: 0.0));
        for (var round = 0; round <= rounds; round++)
        {
            foreach (var (name, call) in forms)
            {
                var measured = Measure(call);
                // The first round warms up.
                fastest[name] = round > 0 && measured.Nanoseconds < fastest[name].Nanoseconds ? measured : fastest[name];
            }
        }

        Figures.Write("cost of an operator", new
        {
            Calls,
            Rounds = rounds,
            Forms = fastest.Select(form => new { Form = form.Key, form.Value.Nanoseconds, ManagedBytes = form.Value.Bytes }),
        });
    }

    private static (double Nanoseconds, double Bytes) Measure(Action call)
    {
        var (bytes, start) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
        for (var i = 0; i < Calls; i++)
        {
            call();
        }

        return (Stopwatch.GetElapsedTime(start).TotalNanoseconds / Calls, (GC.GetAllocatedBytesForCurrentThread() - bytes) / (double)Calls);
    }
}
