using Llava.Ledger.Workers;

namespace Llava.GpuConsumer.Models;

/// <content>Models that come and go while the pool is used: those that were trained, and those that were deleted.</content>
public sealed partial class ModelPool
{
    /// <summary>Takes a further model in while others are used; it is loaded when it is first asked for. One that is there already stays as it is.</summary>
    /// <param name="name">The model.</param>
    /// <param name="connect">Makes ready what is needed before the model is announced.</param>
    /// <param name="cancellation">Gives up reading what it would take.</param>
    public async Task AddAsync(string name, Func<Task> connect, CancellationToken cancellation = default)
    {
        PooledModel model = new(name) { IsHidden = true };
        lock (_gate)
        {
            if (_models.ContainsKey(name))
            {
                return;
            }

            _models = new(_models) { [name] = model };
        }

        await connect();
        await MeasureAsync(model, cancellation);
        lock (_gate)
        {
            model.IsHidden = false;
        }

        if (model.Bytes > Budget)
        {
            Fail(model, new ModelTooLargeException([(name, model.Bytes, model.Smaller)], Budget));
        }

        _changes.Writer.TryWrite(true);
    }

    /// <summary>Takes a model away: nobody is let in any more, and it leaves memory once nothing uses it.</summary>
    public void Remove(string name)
    {
        lock (_gate)
        {
            if (_models.TryGetValue(name, out var model))
            {
                model.IsRetired = true;
                model.Cancel();
                Forget(model);
            }
        }

        _changes.Writer.TryWrite(true);
        Wake();
    }

    /// <summary>A model that is gone and not in memory is forgotten.</summary>
    private void Forget(PooledModel model)
    {
        if (model is { IsRetired: true, State: ModelState.Unloaded or ModelState.Failed })
        {
            _models = new(_models.Where(one => one.Value != model));
        }
    }
}
