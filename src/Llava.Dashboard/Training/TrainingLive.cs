using Llava.Dashboard.Live;

namespace Llava.Dashboard.Training;

/// <summary>The rows of the page of training runs.</summary>
internal sealed class TrainingRowsLive(TrainingReader reader, FragmentRenderer fragments) : LiveSource
{
    public override string Name => "training";

    public override async Task<string?> RenderAsync(LiveKey key, CancellationToken cancellation) =>
        await fragments.RenderAsync("_TrainingRows", await reader.ListAsync(key.Tenant, key.Argument, cancellation));
}

/// <summary>What a training run comes to.</summary>
internal sealed class TrainingRunLive(TrainingReader reader, FragmentRenderer fragments) : LiveSource
{
    public override string Name => "training-run";

    public override async Task<string?> RenderAsync(LiveKey key, CancellationToken cancellation) =>
        await reader.FindAsync(key.Argument, key.Tenant, cancellation) is { } found ? await fragments.RenderAsync("_TrainingRun", found) : null;
}
