// DeltaBlue; the same as tests/bench/programs/deltablue.ten.
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;

public final class Deltablue {
    private static final int REQUIRED = 1;
    private static final int PREFERRED = 3;
    private static final int STRONG_DEFAULT = 4;
    private static final int DEFAULT = 5;
    private static final int ABSOLUTE_WEAKEST = 7;

    private enum Direction { UNSATISFIED, FORWARD, BACKWARD }

    private static final class Variable {
        long value;
        final List<Constraint> constraints = new ArrayList<>();
        Constraint determinedBy;
        int walkStrength = ABSOLUTE_WEAKEST;
        boolean stay = true;
        int mark;

        Variable(long value) { this.value = value; }

        void remove(Constraint constraint) {
            constraints.removeIf(c -> c == constraint);
            if (determinedBy == constraint) determinedBy = null;
        }

        void eachConsumer(Consumer<Constraint> f) {
            for (int i = 0; i < constraints.size(); i++) {
                Constraint c = constraints.get(i);
                if (c != determinedBy && c.isSatisfied()) f.accept(c);
            }
        }
    }

    private abstract static class Constraint {
        final int strength;
        Direction direction = Direction.UNSATISFIED;

        Constraint(int strength) { this.strength = strength; }

        abstract void eachVariable(Consumer<Variable> f);

        abstract void eachInput(Consumer<Variable> f);

        abstract boolean anyInput(Predicate<Variable> holds);

        abstract Variable output();

        abstract void chooseMethod(int mark);

        abstract void execute();

        abstract void recalculate();

        boolean isInput() { return false; }

        final Constraint addTo(Planner planner) {
            eachVariable(v -> v.constraints.add(this));
            planner.incrementalAdd(this);
            return this;
        }

        final void destroy(Planner planner) {
            if (isSatisfied()) planner.incrementalRemove(this);
            removeFromGraph();
        }

        final void removeFromGraph() {
            eachVariable(v -> v.remove(this));
            direction = Direction.UNSATISFIED;
        }

        final boolean isSatisfied() { return direction != Direction.UNSATISFIED; }

        final boolean inputsKnown(int mark) {
            return !anyInput(v -> v.mark != mark && !v.stay && v.determinedBy != null);
        }

        final Direction towards(Variable target, int mark, Direction direction) {
            return target.mark != mark && strength < target.walkStrength ? direction : Direction.UNSATISFIED;
        }

        final Constraint satisfy(int mark, Planner planner) {
            chooseMethod(mark);
            if (!isSatisfied()) {
                if (strength == REQUIRED) throw new IllegalStateException("could not satisfy a required constraint");
                return null;
            }
            eachInput(v -> v.mark = mark);
            Variable out = output();
            Constraint overridden = out.determinedBy;
            if (overridden != null) overridden.direction = Direction.UNSATISFIED;
            out.determinedBy = this;
            if (!planner.addPropagate(this, mark)) throw new IllegalStateException("cycle encountered");
            out.mark = mark;
            return overridden;
        }
    }

    private static class Stay extends Constraint {
        final Variable v;

        Stay(Variable v, int strength) {
            super(strength);
            this.v = v;
        }

        @Override void eachVariable(Consumer<Variable> f) { f.accept(v); }

        @Override void eachInput(Consumer<Variable> f) {}

        @Override boolean anyInput(Predicate<Variable> holds) { return false; }

        @Override Variable output() { return v; }

        @Override void chooseMethod(int mark) { direction = towards(v, mark, Direction.FORWARD); }

        @Override void execute() {}

        @Override void recalculate() {
            v.walkStrength = strength;
            v.stay = !isInput();
            if (v.stay) execute();
        }
    }

    private static final class Edit extends Stay {
        Edit(Variable v, int strength) { super(v, strength); }

        @Override boolean isInput() { return true; }
    }

    private static class Equal extends Constraint {
        final Variable v1;
        final Variable v2;

        Equal(Variable v1, Variable v2, int strength) {
            super(strength);
            this.v1 = v1;
            this.v2 = v2;
        }

        final Variable source() { return direction == Direction.FORWARD ? v1 : v2; }

        final Variable target() { return direction == Direction.FORWARD ? v2 : v1; }

        @Override void eachVariable(Consumer<Variable> f) {
            f.accept(v1);
            f.accept(v2);
        }

        @Override void eachInput(Consumer<Variable> f) { f.accept(source()); }

        @Override boolean anyInput(Predicate<Variable> holds) { return holds.test(source()); }

        @Override final Variable output() { return target(); }

        @Override final void chooseMethod(int mark) {
            if (v1.mark == mark) direction = towards(v2, mark, Direction.FORWARD);
            else if (v2.mark == mark) direction = towards(v1, mark, Direction.BACKWARD);
            else if (v1.walkStrength > v2.walkStrength) direction = towards(v1, mark, Direction.BACKWARD);
            else direction = towards(v2, mark, Direction.FORWARD);
        }

        @Override void execute() { target().value = source().value; }

        @Override void recalculate() {
            Variable source = source();
            Variable out = output();
            out.walkStrength = Math.max(strength, source.walkStrength);
            out.stay = source.stay;
            if (out.stay) execute();
        }
    }

    private static final class Scale extends Equal {
        final Variable scale;
        final Variable offset;

        Scale(Variable v1, Variable v2, Variable scale, Variable offset, int strength) {
            super(v1, v2, strength);
            this.scale = scale;
            this.offset = offset;
        }

        @Override void eachVariable(Consumer<Variable> f) {
            super.eachVariable(f);
            f.accept(scale);
            f.accept(offset);
        }

        @Override void eachInput(Consumer<Variable> f) {
            super.eachInput(f);
            f.accept(scale);
            f.accept(offset);
        }

        @Override boolean anyInput(Predicate<Variable> holds) {
            return super.anyInput(holds) || holds.test(scale) || holds.test(offset);
        }

        @Override void execute() {
            if (direction == Direction.FORWARD) v2.value = v1.value * scale.value + offset.value;
            else v1.value = (v2.value - offset.value) / scale.value;
        }

        @Override void recalculate() {
            Variable source = source();
            Variable out = output();
            out.walkStrength = Math.max(strength, source.walkStrength);
            out.stay = source.stay && scale.stay && offset.stay;
            if (out.stay) execute();
        }
    }

    private static final class Planner {
        private int mark = 1;

        private int newMark() { return ++mark; }

        void incrementalAdd(Constraint constraint) {
            int mark = newMark();
            Constraint overridden = constraint.satisfy(mark, this);
            while (overridden != null) overridden = overridden.satisfy(mark, this);
        }

        void incrementalRemove(Constraint constraint) {
            Variable out = constraint.output();
            constraint.direction = Direction.UNSATISFIED;
            constraint.removeFromGraph();
            for (Constraint unsatisfied : removePropagateFrom(out)) incrementalAdd(unsatisfied);
        }

        List<Constraint> extractPlan(List<Constraint> constraints) {
            List<Constraint> sources = new ArrayList<>();
            for (Constraint c : constraints) {
                if (c.isInput() && c.isSatisfied()) sources.add(c);
            }
            return makePlan(sources);
        }

        private List<Constraint> makePlan(List<Constraint> todo) {
            int mark = newMark();
            List<Constraint> plan = new ArrayList<>();
            for (int i = 0; i < todo.size(); i++) {
                Constraint c = todo.get(i);
                Variable out = c.output();
                if (out.mark != mark && c.inputsKnown(mark)) {
                    plan.add(c);
                    out.mark = mark;
                    out.eachConsumer(todo::add);
                }
            }
            return plan;
        }

        boolean addPropagate(Constraint constraint, int mark) {
            List<Constraint> todo = new ArrayList<>();
            todo.add(constraint);
            for (int i = 0; i < todo.size(); i++) {
                Constraint c = todo.get(i);
                Variable out = c.output();
                if (out.mark == mark) {
                    incrementalRemove(constraint);
                    return false;
                }
                c.recalculate();
                out.eachConsumer(todo::add);
            }
            return true;
        }

        private List<Constraint> removePropagateFrom(Variable out) {
            out.determinedBy = null;
            out.walkStrength = ABSOLUTE_WEAKEST;
            out.stay = true;
            List<Constraint> unsatisfied = new ArrayList<>();
            List<Variable> todo = new ArrayList<>();
            todo.add(out);
            for (int i = 0; i < todo.size(); i++) {
                Variable v = todo.get(i);
                for (Constraint c : v.constraints) {
                    if (!c.isSatisfied()) unsatisfied.add(c);
                }
                v.eachConsumer(c -> {
                    c.recalculate();
                    todo.add(c.output());
                });
            }
            unsatisfied.sort(Comparator.comparingInt(c -> c.strength));
            return unsatisfied;
        }

        void change(Variable variable, long value) {
            Constraint edit = new Edit(variable, PREFERRED).addTo(this);
            List<Constraint> plan = extractPlan(List.of(edit));
            for (int i = 0; i < 10; i++) {
                variable.value = value;
                execute(plan);
            }
            edit.destroy(this);
        }
    }

    private static void execute(List<Constraint> plan) {
        for (Constraint c : plan) c.execute();
    }

    private static void check(boolean holds) {
        if (!holds) throw new IllegalStateException("wrong value");
    }

    private static void chainTest(int n) {
        Planner planner = new Planner();
        Variable[] variables = new Variable[n + 1];
        for (int i = 0; i <= n; i++) variables[i] = new Variable(0);
        for (int i = 0; i < n; i++) new Equal(variables[i], variables[i + 1], REQUIRED).addTo(planner);
        new Stay(variables[n], STRONG_DEFAULT).addTo(planner);
        Constraint edit = new Edit(variables[0], PREFERRED).addTo(planner);
        List<Constraint> plan = planner.extractPlan(List.of(edit));
        for (int i = 0; i < 100; i++) {
            variables[0].value = i;
            execute(plan);
            check(variables[n].value == i);
        }
        edit.destroy(planner);
    }

    private static void projectionTest(int n) {
        Planner planner = new Planner();
        Variable scale = new Variable(10);
        Variable offset = new Variable(1000);
        List<Variable> sources = new ArrayList<>();
        List<Variable> targets = new ArrayList<>();
        for (int i = 1; i <= n; i++) {
            Variable source = new Variable(i);
            Variable target = new Variable(i);
            sources.add(source);
            targets.add(target);
            new Stay(source, DEFAULT).addTo(planner);
            new Scale(source, target, scale, offset, REQUIRED).addTo(planner);
        }
        Variable source = sources.get(n - 1);
        Variable target = targets.get(n - 1);

        planner.change(source, 17);
        check(target.value == 1170);
        planner.change(target, 1050);
        check(source.value == 5);
        planner.change(scale, 5);
        for (int i = 0; i < n - 1; i++) check(targets.get(i).value == (i + 1) * 5 + 1000);
        planner.change(offset, 2000);
        for (int i = 0; i < n - 1; i++) check(targets.get(i).value == (i + 1) * 5 + 2000);
    }

    public static void main(String[] args) {
        int n = args.length > 0 ? Integer.parseInt(args[0]) : 1000;
        chainTest(n);
        projectionTest(n);
        System.out.println(true);
    }
}
